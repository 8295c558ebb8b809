using System.Globalization;
using System.Text.Json;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>vsftpd behind the gateways, and a client that fetches from it in every mode and family (<c>bench/split</c>).</summary>
internal sealed class Transfers : IDisposable
{
    private static readonly string[] AtOnce = ["--at-once"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fwtftp");
    private readonly GatewaysLab _lab;
    private readonly BackgroundProcess _server;

    public Transfers(GatewaysLab lab)
    {
        _lab = lab;
        var files = _folder.CreateSubdirectory("files").FullName;
        Command.Run("chmod", ["755", _folder.FullName]);
        var content = new byte[16 * 1024];
        Random.Shared.NextBytes(content);
        File.WriteAllBytes(Path.Combine(files, "file"), content);
        var settings = VsftpdSetup.Configure(_folder.FullName, null, "anonymous_enable=YES", $"anon_root={files}", "isolate=NO", "isolate_network=NO");
        _server = lab.Servers[0].Start("vsftpd", [settings]);
        _server.WaitUntil(() => VsftpdSetup.Listens(lab.Servers[0], null), TimeSpan.FromSeconds(20));
    }

    /// <summary>Fetches again and again.</summary>
    /// <param name="count">How often in each mode and family.</param>
    /// <param name="perLogin">How often in each login.</param>
    /// <param name="atOnce">Modes and families beside each other.</param>
    /// <returns>How many transfers there were, how many failed, of how many a SYN was sent again, and what the program said.</returns>
    public (int Done, int Failed, int SentAgain, string Report) Fetch(int count, int perLogin, bool atOnce = false)
    {
        var report = _lab.Client.Execute("python3",
        [
            Path.Combine(Repository.Root, "bench", "split", "transfers.py"), "--gateways", "fwcluster", "--server", "vsftpd",
            "--client4", GatewaysLab.ClientAddress(IpFamily.IPv4), "--client6", GatewaysLab.ClientAddress(IpFamily.IPv6),
            "--server4", GatewaysLab.ServerAddress(IpFamily.IPv4), "--server6", GatewaysLab.ServerAddress(IpFamily.IPv6),
            "--server-pid", Text(_server.Id), "--content", Path.Combine(_folder.FullName, "files", "file"), "--count", Text(count), "--per-login", Text(perLogin),
            "--patience", "60", .. atOnce ? AtOnce : [],
        ], timeout: TimeSpan.FromMinutes(5));
        var (done, failed, again) = (0, 0, 0);
        foreach (var line in report.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var result = JsonDocument.Parse(line);
            done += result.RootElement.GetProperty("transfers").GetInt32();
            failed += result.RootElement.GetProperty("failed").GetInt32();
            again += result.RootElement.GetProperty("syn_retransmitted").GetInt32();
        }
        return (done, failed, again, report);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
