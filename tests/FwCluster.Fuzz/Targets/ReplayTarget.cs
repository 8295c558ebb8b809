using FwCluster.Cli;
using FwCluster.Fuzz.Engine;

namespace FwCluster.Fuzz.Targets;

/// <summary>
/// <c>fwctl replay</c> as a person runs it, over a capture and a rule file that are both broken: whatever they hold, it prints and
/// ends with a status that it documents.
/// </summary>
internal sealed class ReplayTarget : FuzzTarget
{
    private const int BrokenCapture = 2;

    private static readonly string[][] Variants =
    [
        [], ["--packets"], ["--connections", "--expectations"], ["--json", "--packets", "--connections", "--expectations"],
        ["--local", "10.211.55.20", "--packets"], ["--local", "10.211.55.20", "--table", "all", "--verify-checksums"], ["--helpers", "none", "--json"],
        ["--local", "10.211.55.10", "--no-loose", "--be-liberal", "--max-entries", "3"],
    ];

    /// <inheritdoc/>
    public override string Name => "replay";

    /// <inheritdoc/>
    public override string Description => "fwctl replay: a capture and a rule file to what is printed";

    /// <inheritdoc/>
    public override int MaxInputBytes => 8192;

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var capture = SeedCaptures.Pcap(Packets.LinkType.Raw, PacketSeeds.All);
            var rules = FuzzTargets.SeedFiles("rules").Where(rules => rules.Length < 4096).ToList();
            for (var variant = 0; variant < Variants.Length; variant++)
                yield return [(byte)variant, .. InputReader.WritePiece(rules[variant % rules.Count]), .. InputReader.WritePiece(capture)];
        }
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var variant = Variants[reader.Byte() % Variants.Length];
        var folder = Directory.CreateTempSubdirectory("fwfuzz").FullName;
        try
        {
            var (rules, capture, annotated) = (Path.Combine(folder, "rules"), Path.Combine(folder, "capture"), Path.Combine(folder, "annotated.pcapng"));
            File.WriteAllBytes(rules, reader.Piece());
            File.WriteAllBytes(capture, reader.Piece());
            using var output = new StringWriter();
            using var errors = new StringWriter();
            var code = Fwctl.Run(["replay", capture, "--rules", rules, "--annotate", annotated, .. variant], output, errors);
            if (code is < 0 or > BrokenCapture) throw new InvalidOperationException($"exit code {code}: {errors}");
            if (code != 0 && errors.GetStringBuilder().Length == 0) throw new InvalidOperationException($"exit code {code}, and not a word why");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
