using System.Diagnostics;
using System.Text.Json;
using FwCluster.Packets;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Packets;

namespace FwCluster.Control.Tests;

/// <summary>A client that was not written here: Node.js's gRPC library, with the published protos and with the server's reflection.</summary>
public sealed class NodeJsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Lazy<(string? Folder, string? WhyNot)> Client = new(Install);

    [Theory]
    [InlineData("protos")]
    [InlineData("reflection")]
    public async Task ItAppliesRulesWatchesFtpAndReadsCounters(string mode)
    {
        var (client, whyNot) = Client.Value;
        Assert.SkipWhen(client is null, whyNot ?? "");
        await using var lab = await ControlLab.StartAsync();
        using var node = new Process
        {
            StartInfo = new ProcessStartInfo("node", [Path.Combine(client!, "client.js"), mode, lab.Address.Authority, lab.Folder, Path.Combine(AppContext.BaseDirectory, "protos")])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            },
        };
        node.Start();
        try
        {
            var error = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            async Task<JsonElement> Next(string step)
            {
                var line = await node.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience);
                Assert.True(line is not null, line is null ? await error : "");
                var told = JsonDocument.Parse(line!).RootElement;
                Assert.Equal(step, told.GetProperty("step").GetString());
                return told;
            }
            var applied = await Next("applied");
            Assert.Equal(("1", "operator-1"), (applied.GetProperty("generation").GetString(), applied.GetProperty("author").GetString()));
            await Next("watching");
            await lab.SendAsync(0, FtpDialog());
            var expected = await Next("expected");
            Assert.Equal(["KIND_WATCHING", "KIND_NEW", "KIND_UPDATE", "KIND_UPDATE", "KIND_EXPECTATION"], expected.GetProperty("kinds").EnumerateArray().Select(k => k.GetString()));
            Assert.Equal(("198.51.100.1", 50_000), (expected.GetProperty("destination").GetString(), expected.GetProperty("port").GetInt32()));
            var counted = await Next("counted");
            Assert.Equal(("-A FORWARD -p tcp -j ACCEPT", "6"), (counted.GetProperty("rule").GetString(), counted.GetProperty("packets").GetString()));
            var refused = await Next("refused");
            Assert.Equal((16, "there is neither a client certificate nor a token"), (refused.GetProperty("code").GetInt32(), refused.GetProperty("details").GetString()));
            await node.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
            Assert.Equal(0, node.ExitCode);
        }
        finally
        {
            if (!node.HasExited) node.Kill(entireProcessTree: true);
        }
    }

    /// <summary>A login and the server's answer that names the port of a passive transfer, 195 * 256 + 80.</summary>
    private static byte[][] FtpDialog()
    {
        var there = PacketAddresses.Parse("192.0.2.1", "198.51.100.1");
        const TcpFlags Data = TcpFlags.Ack | TcpFlags.Psh;
        return
        [
            PacketBuilder.Tcp(there, 1000, 21, TcpFlags.Syn, 100),
            PacketBuilder.Tcp(there.Reversed, 21, 1000, TcpFlags.Syn | TcpFlags.Ack, 500, 101),
            PacketBuilder.Tcp(there, 1000, 21, TcpFlags.Ack, 101, 501),
            PacketBuilder.Tcp(there.Reversed, 21, 1000, Data, 501, 101, payload: "220 ready\r\n"u8),
            PacketBuilder.Tcp(there, 1000, 21, Data, 101, 512, payload: "PASV\r\n"u8),
            PacketBuilder.Tcp(there.Reversed, 21, 1000, Data, 512, 107, payload: "227 Entering Passive Mode (198,51,100,1,195,80)\r\n"u8),
        ];
    }

    /// <summary>Installs the library beside the client, once a run.</summary>
    private static (string?, string?) Install()
    {
        try
        {
            var folder = Path.Combine(AppContext.BaseDirectory, "NodeJs"); // what is installed here stays until the next clean build
            var installed = Command.TryRun("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"], timeout: TimeSpan.FromMinutes(3));
            return installed.ExitCode == 0 ? (folder, null) : (null, $"npm cannot install @grpc/grpc-js: {installed.Error}");
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or CommandFailedException)
        {
            return (null, $"there is no Node.js client: {e.Message}");
        }
    }
}
