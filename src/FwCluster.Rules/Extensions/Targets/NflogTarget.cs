using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary><c>-j NFLOG</c>: tells <see cref="PacketContext.Log"/>, with a group (<c>nflog_tg</c> in xt_NFLOG.c).</summary>
public sealed class NflogTarget : Target
{
    /// <summary>What is asked for.</summary>
    public required LogRequest Request { get; init; }

    /// <summary><c>--nflog-size</c>: bytes of each packet to copy, or null.</summary>
    public uint? Size { get; init; }

    /// <summary><c>--nflog-range</c>, which never did anything; 0 for none.</summary>
    public uint Range { get; init; }

    /// <summary><c>--nflog-threshold</c>: packets to collect before they are told; 0 for the listener's choice.</summary>
    public ushort Threshold { get; init; }

    /// <inheritdoc/>
    public override string Name => "NFLOG";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        packet.Log.Log(in packet, Request);
        return Verdict.Continue;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        if (Request.Prefix.Length > 0) writer.Words("nflog-prefix").String(Request.Prefix);
        if (Request.Group != 0) writer.Words("nflog-group").Number((uint)Request.Group);
        if (Size is { } size) writer.Words("nflog-size").Number(size);
        else if (Range != 0) writer.Words("nflog-range").Number(Range);
        if (Threshold != 0) writer.Words("nflog-threshold").Number(Threshold);
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (Request.Prefix.Length > 0) writer.Word("--nflog-prefix").String(Request.Prefix);
        if (Request.Group != 0) writer.Word("--nflog-group").Number((uint)Request.Group);
        if (Size is { } size) writer.Word("--nflog-size").Number(size);
        else if (Range != 0) writer.Word("--nflog-range").Number(Range);
        if (Threshold != 0) writer.Word("--nflog-threshold").Number(Threshold);
    }
}

/// <summary>The language of <c>-j NFLOG</c> (libxt_NFLOG.c).</summary>
public sealed class NflogTargetExtension : TargetExtension
{
    private const int MaxPrefix = 63;

    /// <inheritdoc/>
    public override string Name => "NFLOG";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("nflog-group"), new("nflog-prefix"), new("nflog-range") { Excludes = ["nflog-size"] }, new("nflog-size"),
        new("nflog-threshold"),
    ];

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options)
    {
        var prefix = options.Find("nflog-prefix") is { } use ? options.Text(use.Word, 1, MaxPrefix) : "";
        return new NflogTarget
        {
            Request = new(prefix, LogTarget.DefaultLevel, 0, (int)Number(options, "nflog-group", ushort.MaxValue)),
            Size = options.Has("nflog-size") ? (uint)Number(options, "nflog-size", uint.MaxValue) : null,
            Range = (uint)Number(options, "nflog-range", uint.MaxValue),
            Threshold = (ushort)Number(options, "nflog-threshold", ushort.MaxValue),
        };
    }

    private static ulong Number(ExtensionOptions options, string option, ulong max)
        => options.Find(option) is { } use ? options.Number(use.Word, 0, max) : 0;
}
