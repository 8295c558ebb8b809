using System.Collections.Concurrent;
using System.Globalization;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>A network with a firewall, all servers, and a place for the clients' files.</summary>
internal sealed class FtpField : IDisposable
{
    private readonly TestNetwork _network;
    private readonly FtpAccount _account = new();
    private readonly FtpFiles _files;
    private readonly IFirewallUnderTest? _firewall;
    private int _sessions;

    /// <param name="firewall">The firewall.</param>
    /// <param name="setup">Its rules.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="sizes">The sizes of the files that sessions may transfer, bytes.</param>
    /// <param name="servers">The servers to start.</param>
    public FtpField(FirewallKind firewall, FirewallSetup setup, FirewallPlace place, IEnumerable<int> sizes, IEnumerable<FtpServer> servers)
    {
        try
        {
            _files = new FtpFiles(Path.Combine(_account.Home, "source"), sizes);
            _network = new TestNetwork(place);
            foreach (var server in servers)
            {
                foreach (var family in IpFamilies.Both) server.Start(_network, _account, family);
            }
            _firewall = firewall.Start(_network.Firewall, setup);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs sessions, several at a time; what went wrong, a line for each session.</summary>
    public IReadOnlyList<string> Run(IEnumerable<FtpSession> sessions, IReadOnlyList<int> sizes, int seconds, int parallel)
    {
        var wrong = new ConcurrentBag<string>();
        Parallel.ForEach(sessions, new ParallelOptions { MaxDegreeOfParallelism = parallel }, session =>
        {
            if (WhatIsWrong(session, sizes, seconds) is { } reason) wrong.Add($"{session}: {reason}");
        });
        return [.. wrong.Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _firewall?.Dispose();
        _network?.Dispose();
        _account.Dispose();
    }

    private string? WhatIsWrong(FtpSession session, IReadOnlyList<int> sizes, int seconds)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"session{Interlocked.Increment(ref _sessions)}");
        var local = Path.Combine(_account.Folder, name);
        var remote = Path.Combine(_account.Home, name);
        Directory.CreateDirectory(local);
        Directory.CreateDirectory(remote);
        FtpAccount.Own(remote);
        try
        {
            var transfers = sizes.SelectMany(size => (FtpTransfer[])
            [
                new(true, _files.Of(size), $"{name}/{size}"),
                new(false, Path.Combine(local, $"{size}"), $"source/{size}"),
            ]).ToList();
            var result = session.Client.Run(_network.Client, _network.ServerAddress(session.Family, session.Server.Index), session.Mode, transfers, seconds);
            var said = result.Output + result.Error;
            var wrong = sizes
                .SelectMany(size => (string?[])[Prefix("up: ", _files.WhatIsWrong(Path.Combine(remote, $"{size}"), size)),
                    Prefix("down: ", _files.WhatIsWrong(Path.Combine(local, $"{size}"), size))])
                .OfType<string>()
                .Concat(WrongMode(session, said))
                .ToList();
            return wrong.Count == 0 ? null : $"{string.Join("; ", wrong)}; exit {result.ExitCode}\n{said}";
        }
        catch (CommandFailedException exception)
        {
            return exception.Message;
        }
        finally
        {
            Directory.Delete(local, recursive: true);
            Directory.Delete(remote, recursive: true);
        }
    }

    // A client that falls back to another mode would pass for one that does this.
    private static IEnumerable<string> WrongMode(FtpSession session, string said)
        => from mode in Enum.GetValues<FtpMode>()
           let sent = said.Contains($"> {mode.Word()}", StringComparison.Ordinal)
           where sent != (mode == session.Mode)
           select sent ? $"{mode.Word()} was said" : $"{mode.Word()} was not said";

    private static string? Prefix(string prefix, string? text) => text is null ? null : prefix + text;
}
