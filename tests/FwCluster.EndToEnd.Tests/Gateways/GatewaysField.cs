using System.Collections.Concurrent;
using System.Globalization;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Gateways;

/// <summary>Several gateways, vsftpd behind them on port 21 of both families, and files to fetch from it by real clients.</summary>
internal sealed class GatewaysField : IDisposable
{
    private readonly FtpAccount _account = new();
    private readonly FtpFiles _files;
    private int _logins;

    private readonly List<FtpServer> _servers;

    /// <param name="gateways">How many gateways.</param>
    /// <param name="sizes">The sizes of the files there are, bytes.</param>
    public GatewaysField(int gateways, params IEnumerable<int> sizes)
        : this(gateways, [FtpServer.All[0]], sizes)
    {
    }

    /// <param name="gateways">How many gateways.</param>
    /// <param name="servers">The servers, each on a host of its own.</param>
    /// <param name="sizes">The sizes of the files there are, bytes.</param>
    public GatewaysField(int gateways, IReadOnlyList<FtpServer> servers, IEnumerable<int> sizes)
    {
        _servers = [.. servers];
        try
        {
            _files = new FtpFiles(Path.Combine(_account.Home, "source"), sizes);
            Lab = new GatewaysLab(gateways, servers.Count);
            for (var index = 0; index < servers.Count; index++)
                foreach (var family in IpFamilies.Both) servers[index].Start(Lab.Servers[index], _account, GatewaysLab.ServerAddress(family, index));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The network.</summary>
    public GatewaysLab Lab { get; } = null!;

    /// <summary>How a file can be fetched from vsftpd by curl: every mode in every family that has room for its addresses.</summary>
    public static IReadOnlyList<FtpSession> Ways { get; } = [.. WaysOf(FtpServer.All[0], "curl")];

    /// <summary>
    /// The client that fetches in every way. curl gives up where the server's word that an active transfer is complete overtakes the last packet of
    /// the data connection's handshake, as it may by another way; ftp first takes the connection.
    /// </summary>
    public string Client { get; init; } = "curl";

    /// <summary>Logins that have begun so far.</summary>
    public int Logins => Volatile.Read(ref _logins);

    /// <summary>
    /// Fetches a file in every way from every server, several logins beside each other; what each transfer ended with, of those that failed.
    /// </summary>
    /// <param name="size">The file's size, bytes.</param>
    /// <param name="times">How many transfers in each way.</param>
    /// <param name="seconds">When a transfer has failed.</param>
    /// <param name="parallel">How many at a time.</param>
    /// <param name="perLogin">How many transfers in each login.</param>
    public IReadOnlyList<FailedTransfer> FetchInEveryWay(int size, int times, int seconds, int parallel, int perLogin = 1)
    {
        var failed = new ConcurrentBag<FailedTransfer>();
        var logins = Enumerable.Range(0, (times + perLogin - 1) / perLogin).SelectMany(_ => _servers.SelectMany(server => WaysOf(server, Client)));
        Parallel.ForEach(logins, new ParallelOptions { MaxDegreeOfParallelism = parallel }, way =>
        {
            foreach (var failure in Fetch(way, size, seconds, perLogin)) failed.Add(failure);
        });
        return [.. failed.OrderBy(failure => failure.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>Fetches a file in one login, so many times; what failed.</summary>
    public IReadOnlyList<FailedTransfer> Fetch(FtpSession way, int size, int seconds, int times = 1)
    {
        var login = Interlocked.Increment(ref _logins);
        var copies = Enumerable.Range(0, times)
            .Select(number => Path.Combine(_account.Folder, string.Create(CultureInfo.InvariantCulture, $"copy{login}-{number}")))
            .ToArray();
        var result = way.Client.Run(Lab.Client, GatewaysLab.ServerAddress(way.Family, _servers.IndexOf(way.Server)), way.Mode,
            [.. copies.Select(copy => new FtpTransfer(false, copy, string.Create(CultureInfo.InvariantCulture, $"source/{size}")))], seconds);
        var failed = copies.Select(copy => _files.WhatIsWrong(copy, size)).OfType<string>()
            .Select(wrong => new FailedTransfer(way, wrong, result.Output + result.Error)).ToList();
        foreach (var copy in copies) File.Delete(copy);
        return failed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Lab?.Dispose();
        _account.Dispose();
    }

    private static IEnumerable<FtpSession> WaysOf(FtpServer server, string client)
        => FtpSession.All.Where(session => session.Server == server && session.Client.Name == client && session.LeftOut is null);
}
