using FwCluster.Node.Configuration;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Node.Live;

/// <summary>The rules that the settings name, read: all of them, or none.</summary>
internal static class RuleFiles
{
    /// <summary>Reads the files.</summary>
    /// <exception cref="SettingsException">A file cannot be read, or has mistakes: all are in the message.</exception>
    public static (Ruleset IPv4, Ruleset IPv6) Load(NodeSettings settings)
    {
        var errors = new List<RuleError>();
        var sets = SetCollection.Empty;
        if (settings.Sets is { } setsFile)
        {
            var read = SetReader.Read(ReadText(setsFile), setsFile);
            errors.AddRange(read.Errors);
            if (read.Sets is { } found) sets = found;
        }
        var reader = ReaderSettings.Default with { Sets = sets };
        Ruleset? ipv4 = null, ipv6 = null;
        if (settings.RulesIPv4 is { } file4)
        {
            var read = RulesetReader.Read(ReadText(file4), file4, IpFamily.IPv4, reader);
            errors.AddRange(read.Errors);
            (ipv4, ipv6) = (read.IPv4, read.IPv6);
        }
        if (settings.RulesIPv6 is { } file6)
        {
            var read = RulesetReader.Read(ReadText(file6), file6, IpFamily.IPv6, reader);
            errors.AddRange(read.Errors);
            if (read.IPv6 is not null && ipv6 is not null)
                throw new SettingsException($"both {settings.RulesIPv4} and {file6} have IPv6 rules; give them in one of the two");
            ipv6 ??= read.IPv6;
        }
        if (errors.Count > 0) throw new SettingsException(string.Join('\n', errors.Select(e => e.Format())));
        return (ipv4 ?? Ruleset.Empty(IpFamily.IPv4), ipv6 ?? Ruleset.Empty(IpFamily.IPv6));
    }

    private static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file}: cannot be read: {e.Message}");
        }
    }
}
