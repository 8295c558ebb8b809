using System.Text;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Fuzz.Targets;

/// <summary>
/// Rule files. What is read must print, and read again must print the same; a mistake has a place that is in the file.
/// </summary>
internal sealed class RulesTarget : FuzzTarget
{
    /// <inheritdoc/>
    public override string Name => "rules";

    /// <inheritdoc/>
    public override string Description => "rule files: read, print, read again, compile";

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds => FuzzTargets.SeedFiles("rules").SelectMany(Pieces);

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Dictionary => FuzzTargets.WordsOf(FuzzTargets.SeedFiles("rules"));

    /// <inheritdoc/>
    public override int MaxInputBytes => 2048;

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var result = RulesetReader.Read(text, "fuzz.rules", family);
            CheckErrors(result, text);
            CheckRuleset(result.IPv4, IpFamily.IPv4);
            CheckRuleset(result.IPv6, IpFamily.IPv6);
        }
    }

    private static void CheckErrors(ReadResult result, string text)
    {
        var lines = text.Split('\n');
        foreach (var error in result.Errors)
        {
            if (error.Line < 1 || error.Line > lines.Length) throw new InvalidOperationException($"no such line: {error}");
            if (error.Column < 1 || error.Column > lines[error.Line - 1].Length + 1)
                throw new InvalidOperationException($"no such column: {error}");
        }
    }

    private static void CheckRuleset(Ruleset? rules, IpFamily family)
    {
        if (rules is null) return;
        var text = RulesetWriter.Write(rules, withCounters: true);
        var again = RulesetReader.Read(text, "canonical.rules", family);
        var readAgain = family == IpFamily.IPv4 ? again.IPv4 : again.IPv6;
        if (readAgain is null)
            throw new InvalidOperationException($"the canonical form cannot be read: {string.Join('\n', again.Errors)}\n{text}");
        var textAgain = RulesetWriter.Write(readAgain, withCounters: true);
        if (textAgain != text) throw new InvalidOperationException($"the canonical form is not stable:\n{text}\nread again is\n{textAgain}");
        _ = CompiledRuleset.Compile(rules, seed: 0);
    }

    // The whole file, and each of its lines by itself in a small file.
    private static IEnumerable<byte[]> Pieces(byte[] file)
    {
        yield return file;
        var lines = Encoding.UTF8.GetString(file).Split('\n');
        var table = "filter";
        foreach (var line in lines)
        {
            if (line.StartsWith('*')) table = line[1..];
            if (!line.StartsWith("-A", StringComparison.Ordinal)) continue;
            yield return Encoding.UTF8.GetBytes($"*{table}\n{line}\nCOMMIT\n");
        }
    }
}
