using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Cli;

/// <summary>Reads rule files, and tells the person all that is wrong in them.</summary>
internal static class RuleFiles
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">Its path; <c>-</c> for the standard input.</param>
    /// <param name="defaultFamily">The family of text that does not say its own.</param>
    /// <param name="settings">What rules refer to.</param>
    /// <exception cref="FwctlException">It cannot be read.</exception>
    public static ReadResult Read(string path, IpFamily defaultFamily, ReaderSettings settings)
        => RulesetReader.Read(ReadText(path), path, defaultFamily, settings);

    /// <summary>What rules refer to: the sets of a file, and what this product has.</summary>
    /// <param name="sets">The file, as <c>ipset save</c> writes it; null for none.</param>
    /// <param name="error">Where mistakes are told.</param>
    /// <exception cref="FwctlException">There are mistakes, or the file cannot be read.</exception>
    public static ReaderSettings Settings(string? sets, TextWriter error)
    {
        if (sets is null) return ReaderSettings.Default;
        var read = SetReader.Read(ReadText(sets), sets);
        if (Tell(error, read.Errors, "sets") is { } mistakes) throw new FwctlException(mistakes);
        return ReaderSettings.Default with { Sets = read.Sets! };
    }

    /// <summary>Reads a text file.</summary>
    /// <param name="path">Its path; <c>-</c> for the standard input.</param>
    /// <exception cref="FwctlException">It cannot be read.</exception>
    public static string ReadText(string path)
    {
        try
        {
            return path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FwctlException(FileMessage.For("cannot read", path, e), e);
        }
    }

    /// <summary>Reads the rules of both families.</summary>
    /// <param name="path">The file of <c>--rules</c>; null for none.</param>
    /// <param name="path6">The file of <c>--rules6</c>; null for none.</param>
    /// <param name="sets">The file of <c>--sets</c>; null for none.</param>
    /// <param name="error">Where mistakes are told.</param>
    /// <exception cref="FwctlException">There are mistakes, or a file cannot be read.</exception>
    public static (Ruleset? IPv4, Ruleset? IPv6) ReadBoth(string? path, string? path6, string? sets, TextWriter error)
    {
        static RuleText? TextOf(string? path) => path is null ? null : new RuleText(path, ReadText(path));
        var read = RuleTexts.Read(TextOf(path), TextOf(path6), TextOf(sets));
        if ((Tell(error, read.Errors, read.Subject) ?? read.Conflict) is { } wrong) throw new FwctlException(wrong);
        return (read.IPv4, read.IPv6);
    }

    /// <summary>Tells mistakes, each with its line and a caret under the place. Returns how many there are, as a sentence, or null.</summary>
    /// <param name="error">Where to.</param>
    /// <param name="mistakes">The mistakes.</param>
    /// <param name="where">What they are in.</param>
    public static string? Tell(TextWriter error, IReadOnlyList<RuleError> mistakes, string where)
    {
        foreach (var mistake in mistakes) error.WriteLine(mistake.Format());
        return mistakes.Count switch
        {
            0 => null,
            1 => $"there is 1 mistake in the {where}",
            _ => $"there are {mistakes.Count} mistakes in the {where}",
        };
    }

    /// <summary>A family's rules with a filter table in any case, as the kernel lists one: policies of ACCEPT, no rules.</summary>
    public static Ruleset WithFilter(Ruleset? ruleset, IpFamily family)
    {
        ruleset ??= Ruleset.Empty(family);
        var name = TableId.Filter.Name();
        if (ruleset.Table(name) is not null) return ruleset;
        ImmutableArray<Chain> chains = [Empty("INPUT", Hook.Input), Empty("FORWARD", Hook.Forward), Empty("OUTPUT", Hook.Output)];
        return ruleset with { Tables = ruleset.Tables.Add(new Table(name, chains)) };
    }

    private static Chain Empty(string name, Hook hook) => new(name, hook, Verdict.Accept, default, []);
}
