using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace FwCluster.Control.Access;

/// <summary>A line for each change, made or refused: JSON, to the log (category <c>audit</c>) and, where there is one, to a file.</summary>
internal sealed partial class AuditLog : IDisposable
{
    private readonly Lock _writing = new();
    private readonly ILogger _log;
    private readonly StreamWriter? _file;

    /// <summary>Opens the file.</summary>
    /// <exception cref="AccessFileException">It cannot be written to.</exception>
    public AuditLog(string? file, ILoggerFactory logs)
    {
        _log = logs.CreateLogger("audit");
        try
        {
            _file = file is null ? null : new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AccessFileException($"{file}: the audit file cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes a line.</summary>
    public void Write(AuditLine line)
    {
        var text = JsonSerializer.Serialize(line, AuditContext.Line.AuditLine);
        LogLine(_log, text);
        if (_file is null) return;
        lock (_writing)
        {
            try
            {
                _file.WriteLine(text);
            }
            catch (IOException e)
            {
                LogLost(_log, e.Message); // the log has the line
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void LogLine(ILogger log, string line);

    [LoggerMessage(LogLevel.Error, "The audit file cannot be written: {Message}")]
    private static partial void LogLost(ILogger log, string message);
}

/// <summary>What the audit says of a change.</summary>
/// <param name="Time">When.</param>
/// <param name="Who">Who.</param>
/// <param name="Role">Their role.</param>
/// <param name="Proof">How it is known who: certificate, token, socket.</param>
/// <param name="From">From where.</param>
/// <param name="Via">The node that asks on their behalf; null where they ask themselves.</param>
/// <param name="Method">What was called.</param>
/// <param name="Outcome">OK, or why not.</param>
/// <param name="What">What it was about.</param>
/// <param name="Before">What was there before.</param>
/// <param name="After">What is there now.</param>
internal sealed record AuditLine(
    DateTimeOffset Time, string Who, string Role, string Proof, string From, string? Via, string Method, string Outcome, string? What, string? Before, string? After);

/// <summary>Writes the lines.</summary>
[JsonSerializable(typeof(AuditLine))]
internal sealed partial class AuditContext : JsonSerializerContext
{
    /// <summary>The context to write with: text that is not for HTML.</summary>
    public static AuditContext Line { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
