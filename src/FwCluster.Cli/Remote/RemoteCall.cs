using System.CommandLine;
using System.Runtime.InteropServices;
using FwCluster.Api.V1;
using Google.Protobuf;
using Grpc.Core;

namespace FwCluster.Cli.Remote;

/// <summary>What a command over a control plane works with.</summary>
/// <param name="Parsed">The command line.</param>
/// <param name="Invoker">What clients call by.</param>
/// <param name="Stop">Ctrl-C.</param>
internal sealed record RemoteCall(ParseResult Parsed, CallInvoker Invoker, CancellationToken Stop)
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(false));

    /// <summary>Where results go.</summary>
    public TextWriter Output => Parsed.InvocationConfiguration.Output;

    /// <summary>Where messages go.</summary>
    public TextWriter Error => Parsed.InvocationConfiguration.Error;

    /// <summary>True where JSON is to be printed.</summary>
    public bool IsJson => RemoteOptions.IsJson(Parsed);

    /// <summary>Makes a command.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    /// <param name="examples">Lines of examples.</param>
    /// <param name="run">Runs it; returns what the shell is told.</param>
    /// <param name="symbols">Its arguments and options.</param>
    public static Command Command(string name, string description, string examples, Func<RemoteCall, Task<int>> run, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }
        RemoteOptions.AddTo(command);
        HelpWithExamples.Describe(command, $"Examples:\n{examples}\n\n{RemoteOptions.Sections}");
        command.SetAction(parsed => RunAsync(parsed, run).GetAwaiter().GetResult());
        return command;
    }

    /// <summary>Prints a message as JSON, a line.</summary>
    public void Print(IMessage message)
    {
        Output.Write(Json.Format(message));
        Output.Write('\n');
    }

    /// <summary>Prints a message as JSON, or else text.</summary>
    public int Print(IMessage message, Action<TextWriter> text)
    {
        if (IsJson) Print(message);
        else text(Output);
        return ExitCode.Ok;
    }

    /// <summary>Prints a message as JSON, or else text, and names the nodes that are missing in it.</summary>
    public int Print(IMessage message, IReadOnlyCollection<NodeFailure> failures, Action<TextWriter> text)
    {
        Print(message, text);
        return Tell(failures);
    }

    /// <summary>Names nodes that could not be asked; returns what the shell is told.</summary>
    public int Tell(IReadOnlyCollection<NodeFailure> failures)
    {
        foreach (var failure in failures) Error.WriteLine($"fwctl: node {failure.Node} is missing: {failure.Reason}");
        return failures.Count == 0 ? ExitCode.Ok : ExitCode.Partial;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<RemoteCall, Task<int>> run)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = !stop.IsCancellationRequested; // the second one ends the process at once
            stop.Cancel();
        });
        try
        {
            using var connection = await ControlConnection.OpenAsync(RemoteOptions.ContextOf(parsed), stop.Token).ConfigureAwait(false);
            return await run(new RemoteCall(parsed, connection.Invoker, stop.Token)).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && stop.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (RpcException e)
        {
            throw new FwctlException(Explain(e.Status), e)
            {
                ExitCode = e.StatusCode switch
                {
                    StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted => ExitCode.Unreachable,
                    StatusCode.Unauthenticated or StatusCode.PermissionDenied => ExitCode.NotAllowed,
                    StatusCode.Aborted => ExitCode.Stale,
                    _ => ExitCode.Wrong,
                },
            };
        }
    }

    private static string Explain(Status status)
    {
        // What broke a connection is inside: a certificate that is not trusted, say.
        for (var inner = status.DebugException; inner is not null; inner = inner.InnerException)
            if (inner.InnerException is null && inner is not OperationCanceledException)
                return $"{status.Detail.Split('\n')[0]} ({inner.Message})";
        return status.Detail;
    }
}
