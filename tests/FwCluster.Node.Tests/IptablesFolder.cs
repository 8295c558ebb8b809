using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>A folder of iptables programs, to be the first of the PATH: a host whose <c>iptables</c> is another one.</summary>
internal sealed class IptablesFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fwtp").FullName;

    private IptablesFolder() => Command.Run("chmod", ["755", _folder]);

    /// <summary>What a command is to be started by.</summary>
    public IEnumerable<string> Wrapper => ["env", $"PATH={_folder}:/usr/sbin:/usr/bin:/sbin:/bin"];

    /// <summary>A host whose iptables is a variant: nft or legacy.</summary>
    public static IptablesFolder Of(string variant)
    {
        var made = new IptablesFolder();
        foreach (var name in (string[])["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"])
            File.CreateSymbolicLink(Path.Combine(made._folder, name), $"/usr/sbin/xtables-{variant}-multi");
        return made;
    }

    /// <summary>A host whose iptables-restore takes its time once there is a file.</summary>
    public static IptablesFolder Slow(string onceThereIs, TimeSpan time)
    {
        var made = new IptablesFolder();
        foreach (var name in (string[])["iptables-restore", "ip6tables-restore"])
        {
            var path = Path.Combine(made._folder, name);
            File.WriteAllText(path, $"#!/bin/sh\n[ ! -e {onceThereIs} ] || sleep {time.TotalSeconds}\nexec /usr/sbin/{name} \"$@\"\n");
            Command.Run("chmod", ["755", path]);
        }
        return made;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
