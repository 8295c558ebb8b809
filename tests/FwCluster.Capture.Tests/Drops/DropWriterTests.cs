using FwCluster.Referee;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using FwCluster.Capture.Drops;
using FwCluster.Capture.Files;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Tests.Drops;

public sealed class DropWriterTests : IDisposable
{
    private const long Second = 1_000_000_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TsharkReadsPacketsWithTheirReasons()
    {
        using (var writer = new DropWriter(Settings()))
        {
            var source = writer.OpenSource();
            Assert.True(source.Write(Packet(LinkType.Raw, "eth0", Ip(28), "DROP chain=INPUT rule=3")));
            Assert.True(source.Write(Packet(LinkType.Ethernet, "eth1", new byte[60], "DROP tracking reason=TableFull", wireLength: 1500)));
            Assert.True(source.Write(Packet(LinkType.Raw, "eth0", Ip(29), "gelöscht: ungültig")));
            Assert.True(source.Write(Packet(LinkType.Raw, "", Ip(28), "")));
        }
        var lines = ByTshark(Assert.Single(Files()), "frame.interface_name", "frame.len", "frame.cap_len", "frame.time_epoch", "frame.comment");
        Assert.Equal(
            [
                "eth0\t28\t28\t1700000000.000000007\tDROP chain=INPUT rule=3",
                "eth1\t1500\t60\t1700000000.000000007\tDROP tracking reason=TableFull",
                "eth0\t29\t29\t1700000000.000000007\tgelöscht: ungültig",
                "\t28\t28\t1700000000.000000007\t",
            ],
            lines.Select(line => line.Replace("unknown", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void TheFilesAreBoundedInSizeAndNumberAndTheNewestStay()
    {
        const int count = 1000;
        using (var writer = new DropWriter(Settings() with { FileBytes = 8192, Files = 3 }))
        {
            var source = writer.OpenSource();
            for (var i = 0; i < count; i++) Assert.True(source.Write(Packet(LinkType.Raw, "eth0", Ip(200 + i % 7), $"packet {i}")));
            writer.Dispose();
            Assert.Equal((count, 0, 0), (writer.Written, writer.Lost, writer.Failed));
        }
        var files = Files();
        Assert.Equal(3, files.Length);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 8192));
        var comments = files.SelectMany(file => ByTshark(file, "frame.comment")).ToList();
        // All of the end, nothing twice, nothing left out.
        Assert.Equal(Enumerable.Range(count - comments.Count, comments.Count).Select(i => $"packet {i}"), comments);
        Assert.InRange(comments.Count, 50, 100);
    }

    [Fact]
    public void NumbersGoOnFromTheFilesThatAreThere()
    {
        for (var run = 0; run < 3; run++)
        {
            using var writer = new DropWriter(Settings() with { Files = 2 });
            writer.OpenSource().Write(Packet(LinkType.Raw, "eth0", Ip(28), $"run {run}"));
        }
        _folder.Write("drops-notes.pcapng", [1]);
        Assert.Equal(["drops-000002.pcapng", "drops-000003.pcapng", "drops-notes.pcapng"], Files().Select(Path.GetFileName));
        Assert.Equal(["run 2"], ByTshark(_folder.File("drops-000003.pcapng"), "frame.comment"));
    }

    [Fact]
    public void WhatDoesNotFitIsCountedAndNobodyWaits()
    {
        using var writer = new DropWriter(Settings() with { SnapLength = 1000, BufferBytes = 65536, FlushInterval = TimeSpan.FromMinutes(1) });
        var source = writer.OpenSource();
        var taken = 0;
        for (var i = 0; i < 1000; i++)
        {
            if (source.Write(Packet(LinkType.Raw, "eth0", Ip(1400), "full"))) taken++;
        }
        Assert.InRange(taken, 55, 64);
        Assert.Equal(1000 - taken, writer.Lost);
        writer.Dispose();
        Assert.Equal(taken, writer.Written);
        Assert.False(source.Write(Packet(LinkType.Raw, "eth0", Ip(1400), "after the end")));
        Assert.Equal(taken, ByTshark(Assert.Single(Files()), "frame.cap_len").Count(length => length == "1000"));
    }

    [Fact]
    public void ThreadsWriteAtOnceAndEachPacketIsWhole()
    {
        const int threads = 4, each = 20_000;
        long lost;
        using (var writer = new DropWriter(Settings() with { SnapLength = 300, BufferBytes = 65536, FileBytes = 1 << 28, FlushInterval = TimeSpan.FromMilliseconds(1) }))
        {
            var sources = Enumerable.Range(0, threads).Select(_ => writer.OpenSource()).ToArray();
            Parallel.For(0, threads, thread =>
            {
                for (var i = 0; i < each; i++)
                {
                    var data = Ip(28 + i % 250);
                    data.AsSpan(28).Fill((byte)i);
                    sources[thread].Write(Packet(LinkType.Raw, $"t{thread}", data, i.ToString(CultureInfo.InvariantCulture)));
                    if (i % 50 == 0) Thread.Yield();
                }
            });
            writer.Dispose();
            lost = writer.Lost;
            Assert.Equal(threads * each, writer.Written + lost);
        }
        var counts = new int[threads];
        using var reader = CaptureFileReader.Open(Assert.Single(Files()));
        while (reader.TryRead(out var packet))
        {
            counts[packet.Interface.Name![1] - '0']++;
            // All of a packet's payload is one number.
            Assert.True(packet.Data.Length == 28 || !packet.Data[28..].ContainsAnyExcept(packet.Data[28]), "a packet is torn");
            Assert.Equal(packet.WireLength, (uint)packet.Data.Length);
        }
        Assert.Equal(threads * each - lost, counts.Sum());
        Assert.All(counts, count => Assert.InRange(count, 1, each));
    }

    [Fact]
    public void AFailureIsCountedAndWritingGoesOnAfterIt()
    {
        var folder = _folder.File("gone");
        using var writer = new DropWriter(Settings() with { Folder = folder, FlushInterval = TimeSpan.FromMilliseconds(1) });
        var source = writer.OpenSource();
        Directory.Delete(folder);
        File.WriteAllText(folder, "in the way");
        Assert.True(source.Write(Packet(LinkType.Raw, "eth0", Ip(28), "first")));
        Assert.True(SpinWait.SpinUntil(() => writer.Failed == 1, TimeSpan.FromSeconds(30)));
        Assert.Contains(folder, writer.LastError, StringComparison.Ordinal);
        File.Delete(folder);
        Assert.True(SpinWait.SpinUntil(() =>
        {
            source.Write(Packet(LinkType.Raw, "eth0", Ip(28), "again"));
            Thread.Sleep(20);
            return writer.Written > 0;
        }, TimeSpan.FromSeconds(30)));
        writer.Dispose();
        Assert.Contains("again", ByTshark(Directory.GetFiles(folder)[0], "frame.comment"));
    }

    [Fact]
    public void HandingOverDoesNotAllocate()
    {
        using var writer = new DropWriter(Settings() with { FlushInterval = TimeSpan.FromMinutes(1) });
        var source = writer.OpenSource();
        var data = Ip(100);
        Assert.Equal(0, Allocation.Least(() =>
        {
            for (var i = 0; i < 400; i++)
                source.Write(new DroppedPacket { Link = LinkType.Raw, Data = data, WireLength = 100, Time = i, Reason = "DROP chain=INPUT rule=3"u8 });
        }));
    }

    [Theory]
    [InlineData("FileBytes")]
    [InlineData("Files")]
    [InlineData("SnapLength")]
    [InlineData("BufferBytes")]
    [InlineData("FlushInterval")]
    [InlineData("Name")]
    [InlineData("Folder")]
    public void AWrongSettingIsRefusedByName(string name)
    {
        var settings = name switch
        {
            "FileBytes" => Settings() with { FileBytes = 10 },
            "Files" => Settings() with { Files = 0 },
            "SnapLength" => Settings() with { SnapLength = 1 },
            "BufferBytes" => Settings() with { BufferBytes = 65536 },
            "FlushInterval" => Settings() with { FlushInterval = TimeSpan.Zero },
            "Name" => Settings() with { Name = "a/b" },
            _ => Settings() with { Folder = "" },
        };
        Assert.StartsWith(name, settings.Error(), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DropWriter(settings));
        Assert.Null(Settings().Error());
    }

    private DropSettings Settings() => new() { Folder = _folder.Path, FlushInterval = TimeSpan.FromMilliseconds(5) };

    private string[] Files() => [.. Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal)];

    private static byte[] Ip(int length)
    {
        var packet = new byte[length];
        packet[0] = 0x45;
        packet[2] = (byte)(length >> 8);
        packet[3] = (byte)length;
        packet[9] = 17;
        return packet;
    }

    private static DroppedPacket Packet(LinkType link, string name, byte[] data, string reason, int wireLength = 0) => new()
    {
        Link = link,
        Interface = InterfaceName.From(name),
        Data = data,
        WireLength = wireLength,
        Time = 1_700_000_000 * Second + 7,
        Reason = Encoding.UTF8.GetBytes(reason),
    };

    private static string[] ByTshark(string path, params string[] fields)
    {
        using var tshark = Process.Start(new ProcessStartInfo("tshark", ["-r", path, "-T", "fields", .. fields.SelectMany(f => (string[])["-e", f])])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        })!;
        var error = tshark.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = tshark.StandardOutput.ReadToEnd();
        tshark.WaitForExit();
        Assert.True(tshark.ExitCode == 0, $"tshark {path}: {error.Result}");
        return output.Split('\n')[..^1];
    }
}
