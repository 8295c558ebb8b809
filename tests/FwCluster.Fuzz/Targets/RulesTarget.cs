using System.Text;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Fuzz.Targets;

/// <summary>
/// Rule files. What is read must print, and read again print the same; it compiles and takes packets. A mistake has a place that
/// is in the file.
/// </summary>
internal sealed class RulesTarget : FuzzTarget
{
    private static readonly ReaderSettings Settings = new()
    {
        Sets = SetReader.Read("create blocked hash:ip\nadd blocked 10.211.55.10\ncreate pairs hash:ip,port\nadd pairs 10.211.55.20,tcp:21\n", "sets").Sets!,
    };

    private static readonly Ruleset[] None = [.. new[] { IpFamily.IPv4, IpFamily.IPv6 }.Select(family => RulesetReader.Read("", "", family).Of(family)!)];

    /// <inheritdoc/>
    public override string Name => "rules";

    /// <inheritdoc/>
    public override string Description => "rule files: read, print, read again, compile, decide";

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
        // The family of text that does not say one.
        var family = text.Length % 2 == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
        var result = RulesetReader.Read(text, "fuzz.rules", family, Settings);
        Promises.ErrorsHavePlaces(result.Errors, text);
        if (result.IPv4 is { } rules4) Check(rules4, None[1]);
        if (result.IPv6 is { } rules6) Check(rules6, None[0]);
    }

    private static void Check(Ruleset rules, Ruleset none)
    {
        var text = RulesetWriter.Write(rules, withCounters: true);
        var again = RulesetReader.Read(text, "canonical.rules", rules.Family, Settings);
        var readAgain = again.Of(rules.Family)
            ?? throw new InvalidOperationException($"the canonical form cannot be read: {string.Join('\n', again.Errors)}\n{text}");
        var textAgain = RulesetWriter.Write(readAgain, withCounters: true);
        if (textAgain != text) throw new InvalidOperationException($"the canonical form is not stable:\n{text}\nread again is\n{textAgain}");
        Promises.RulesTakePackets(rules, none);
    }

    // The whole file, and each of its rules by itself in a small file.
    private static IEnumerable<byte[]> Pieces(byte[] file)
    {
        yield return file;
        var table = "filter";
        foreach (var line in Encoding.UTF8.GetString(file).Split('\n'))
        {
            if (line.StartsWith('*')) table = line[1..];
            if (line.StartsWith("-A", StringComparison.Ordinal)) yield return Encoding.UTF8.GetBytes($"*{table}\n{line}\nCOMMIT\n");
        }
    }
}
