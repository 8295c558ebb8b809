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
    private int _transfers;

    /// <param name="gateways">How many gateways.</param>
    /// <param name="sizes">The sizes of the files there are, bytes.</param>
    public GatewaysField(int gateways, params IEnumerable<int> sizes)
    {
        try
        {
            _files = new FtpFiles(Path.Combine(_account.Home, "source"), sizes);
            Lab = new GatewaysLab(gateways);
            foreach (var family in IpFamilies.Both) FtpServer.StartVsftpd(Lab.Servers[0], _account, GatewaysLab.ServerAddress(family));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The network.</summary>
    public GatewaysLab Lab { get; } = null!;

    /// <summary>How a file can be fetched by curl: every mode in every family that has room for its addresses.</summary>
    public static IReadOnlyList<FtpSession> Ways { get; } =
        [.. FtpSession.All.Where(session => session is { Server.Name: "vsftpd", Client.Name: "curl", LeftOut: null })];

    /// <summary>
    /// Fetches a file in every way, several logins beside each other; what each transfer ended with, of those that failed.
    /// </summary>
    /// <param name="size">The file's size, bytes.</param>
    /// <param name="times">How many transfers in each way.</param>
    /// <param name="seconds">When a transfer has failed.</param>
    /// <param name="parallel">How many at a time.</param>
    public IReadOnlyList<FailedTransfer> FetchInEveryWay(int size, int times, int seconds, int parallel)
    {
        var failed = new ConcurrentBag<FailedTransfer>();
        var all = Enumerable.Range(0, times).SelectMany(_ => Ways);
        Parallel.ForEach(all, new ParallelOptions { MaxDegreeOfParallelism = parallel }, way =>
        {
            if (Fetch(way, size, seconds) is { } failure) failed.Add(failure);
        });
        return [.. failed.OrderBy(failure => failure.ToString(), StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Lab?.Dispose();
        _account.Dispose();
    }

    private FailedTransfer? Fetch(FtpSession way, int size, int seconds)
    {
        var copy = Path.Combine(_account.Folder, string.Create(CultureInfo.InvariantCulture, $"copy{Interlocked.Increment(ref _transfers)}"));
        var result = way.Client.Run(Lab.Client, GatewaysLab.ServerAddress(way.Family), way.Mode,
            [new FtpTransfer(false, copy, string.Create(CultureInfo.InvariantCulture, $"source/{size}"))], seconds);
        var wrong = _files.WhatIsWrong(copy, size);
        File.Delete(copy);
        return wrong is null ? null : new FailedTransfer(way, wrong, result.Output + result.Error);
    }
}
