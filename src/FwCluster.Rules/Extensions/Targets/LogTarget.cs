using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary><c>-j LOG</c>: tells <see cref="PacketContext.Log"/> (<c>log_tg</c> in xt_LOG.c).</summary>
/// <param name="request">What is asked for.</param>
public sealed class LogTarget(LogRequest request) : Target
{
    /// <summary>The level where none is given: warning.</summary>
    public const byte DefaultLevel = 4;

    /// <summary>What is asked for.</summary>
    public LogRequest Request { get; } = request;

    /// <inheritdoc/>
    public override string Name => "LOG";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        packet.Log.Log(in packet, Request);
        return Verdict.Continue;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
        => writer.Words($"LOG flags {Request.Flags} level {Request.Level}{(Request.Prefix.Length == 0 ? "" : $" prefix \"{Request.Prefix}\"")}");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (Request.Prefix.Length > 0) writer.Word("--log-prefix").String(Request.Prefix);
        if (Request.Level != DefaultLevel) writer.Word("--log-level").Number(Request.Level);
        foreach (var (option, flag) in LogTargetExtension.Flags)
        {
            if ((Request.Flags & flag) != 0) writer.Word("--" + option);
        }
    }
}

/// <summary>The language of <c>-j LOG</c> (libxt_LOG.c).</summary>
public sealed class LogTargetExtension : TargetExtension
{
    private const int MaxPrefix = 29;

    private static readonly (string Name, byte Level)[] Levels =
    [
        ("emerg", 0), ("panic", 0), ("alert", 1), ("crit", 2), ("error", 3), ("warning", 4), ("notice", 5), ("info", 6), ("debug", 7),
    ];

    /// <summary>Options that are a flag (<c>XT_LOG_*</c>), in the order in which they are written.</summary>
    internal static ImmutableArray<(string Option, byte Flag)> Flags { get; } =
        [("log-tcp-sequence", 1), ("log-tcp-options", 2), ("log-ip-options", 4), ("log-uid", 8), ("log-macdecode", 0x20)];

    /// <inheritdoc/>
    public override string Name => "LOG";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
        [new("log-level"), new("log-prefix"), .. Flags.Select(f => new OptionSpec(f.Option, 0))];

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options)
    {
        var prefix = options.Find("log-prefix") is { } use ? options.Text(use.Word, 1, MaxPrefix) : "";
        var level = options.Find("log-level") is { } word ? Level(options, word.Word) : LogTarget.DefaultLevel;
        byte flags = 0;
        foreach (var (option, flag) in Flags)
        {
            if (options.Has(option)) flags |= flag;
        }
        return new LogTarget(new(prefix, level, flags, Group: -1));
    }

    private static byte Level(ExtensionOptions options, Token word)
    {
        if (ExtensionOptions.TryNumber(word.Text, out var number) && number <= 7) return (byte)number;
        foreach (var (name, level) in Levels)
        {
            if (name == word.Text) return level;
        }
        options.Error(word, $"LOG: \"{word}\" is not a level", "there are 0 to 7, or " + string.Join(", ", Levels.Select(l => l.Name)));
        return LogTarget.DefaultLevel;
    }
}
