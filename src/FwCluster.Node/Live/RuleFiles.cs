using FwCluster.Control.Rulesets;
using FwCluster.Node.Configuration;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Node.Live;

/// <summary>The rules that the settings name, read: all of them, or none.</summary>
internal static class RuleFiles
{
    /// <summary>Reads the files.</summary>
    /// <exception cref="SettingsException">A file cannot be read, or has mistakes: all are in the message.</exception>
    public static (Ruleset IPv4, Ruleset IPv6) Load(NodeSettings settings)
    {
        if (settings.Applied is { } applied) return (applied.Rules.IPv4, applied.Rules.IPv6);
        var read = RuleTexts.Read(TextOf(settings.RulesIPv4), TextOf(settings.RulesIPv6), TextOf(settings.Sets));
        if (read.Errors.Count > 0) throw new SettingsException(string.Join('\n', read.Errors.Select(e => e.Format())));
        if (read.Conflict is { } conflict) throw new SettingsException(conflict);
        return (read.IPv4 ?? Ruleset.Empty(IpFamily.IPv4), read.IPv6 ?? Ruleset.Empty(IpFamily.IPv6));
    }

    /// <summary>The files as they are.</summary>
    /// <exception cref="SettingsException">A file cannot be read.</exception>
    public static RulesetTexts ReadTexts(NodeSettings settings)
        => new(TextOf(settings.RulesIPv4)?.Text ?? "", TextOf(settings.RulesIPv6)?.Text ?? "", TextOf(settings.Sets)?.Text ?? "");

    private static RuleText? TextOf(string? file)
    {
        if (file is null) return null;
        try
        {
            return new RuleText(file, File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file}: cannot be read: {e.Message}");
        }
    }
}
