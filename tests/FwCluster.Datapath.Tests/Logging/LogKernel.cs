using System.Globalization;
using System.Text;
using FwCluster.Datapath.Logging;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests.Logging;

/// <summary>A kernel that logs each packet, with flags by the destination: one address for each set of them, its own (INPUT) and behind it
/// (FORWARD); some packets have a mark.</summary>
internal sealed class LogKernel : IDisposable
{
    public static readonly LogFlags[] FlagSets =
    [
        LogFlags.None, LogFlags.TcpSequence, LogFlags.TcpOptions, LogFlags.IPOptions, LogFlags.MacDecode | LogFlags.Uid,
        LogFlags.TcpSequence | LogFlags.TcpOptions | LogFlags.IPOptions | LogFlags.MacDecode | LogFlags.Uid,
    ];

    public const uint Mark = 0x2a;

    private static readonly (LogFlags Flag, string Option)[] Options =
    [
        (LogFlags.TcpSequence, "--log-tcp-sequence"), (LogFlags.TcpOptions, "--log-tcp-options"), (LogFlags.IPOptions, "--log-ip-options"),
        (LogFlags.Uid, "--log-uid"), (LogFlags.MacDecode, "--log-macdecode"),
    ];

    private readonly KernelReferee _referee;
    private readonly KernelLog _log = new();
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"fwt{Environment.ProcessId} ");
    private readonly LinkHeader _link;

    public LogKernel()
    {
        try
        {
            _referee = new KernelReferee(new RefereeOptions
            {
                Rules4 = Rules(IpFamily.IPv4),
                Rules6 = Rules(IpFamily.IPv6),
                LocalAddresses = [.. Enumerable.Range(0, FlagSets.Length).SelectMany(i => (string[])[Local(IpFamily.IPv4, i), Local(IpFamily.IPv6, i)])],
            });
            var router = _referee.Router.Execute("cat /sys/class/net/rin/address").Trim().Replace(":", "", StringComparison.Ordinal);
            _link = new LinkHeader
            {
                HasSourceMac = true,
                SourceMac = 0x0200_0000_0001,
                HasDestinationMac = true,
                DestinationMac = ulong.Parse(router, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            };
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public static string Local(IpFamily family, int flagSet) => (family == IpFamily.IPv4 ? "192.0.2.1" : "2001:db8::1") + flagSet;

    public static string Behind(IpFamily family, int flagSet) => (family == IpFamily.IPv4 ? "203.0.113.1" : "2001:db8:1::1") + flagSet;

    /// <summary>What the kernel writes for a packet, or null for nothing.</summary>
    public string? Ask(byte[] packet)
    {
        _log.Take(_prefix);
        _referee.Send(packet);
        return _log.Take(_prefix) switch { [] => null, [var line] => line, var lines => throw new InvalidOperationException(string.Join('\n', lines)) };
    }

    /// <summary>What the product writes.</summary>
    public string Write(byte[] packet, Hook hook, LogFlags flags, bool isMarked)
    {
        var atHook = new PacketAtHook
        {
            Hook = hook,
            Packet = packet,
            In = InterfaceName.From("rin"),
            Out = hook == Hook.Forward ? InterfaceName.From("rout") : default,
            Link = _link with { EtherType = (ushort)(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd) },
            Mark = isMarked ? Mark : 0,
        };
        var line = new byte[LogLine.MaxBytes];
        var request = new LogRequest(_prefix, 7, (byte)flags, -1);
        var length = atHook.With((in PacketContext context) => LogLine.Write(in context, in request, line));
        Assert.StartsWith(_prefix, Encoding.UTF8.GetString(line, 0, length), StringComparison.Ordinal);
        return Encoding.UTF8.GetString(line, _prefix.Length, length - _prefix.Length);
    }

    public void Dispose()
    {
        _referee?.Dispose();
        _log.Dispose();
    }

    private string Rules(IpFamily family)
    {
        // No tracking here, which would put fragments together.
        var text = new StringBuilder("*mangle\n");
        var marked = family == IpFamily.IPv4 ? "-m ttl --ttl-gt 200" : "-m hl --hl-gt 200";
        text.Append(CultureInfo.InvariantCulture, $"-A PREROUTING {marked} -j MARK --set-mark {Mark}\nCOMMIT\n*filter\n");
        for (var i = 0; i < FlagSets.Length; i++)
        {
            var options = string.Join(' ', Options.Where(option => FlagSets[i].HasFlag(option.Flag)).Select(option => option.Option));
            foreach (var (chain, to) in (ReadOnlySpan<(string, string)>)[("INPUT", Local(family, i)), ("FORWARD", Behind(family, i))])
            {
                text.Append(CultureInfo.InvariantCulture,
                    $"-A {chain} -d {to} -j LOG --log-level debug --log-prefix \"{_prefix}\" {options}\n-A {chain} -d {to} -j DROP\n");
            }
        }
        return text.Append("COMMIT\n").ToString();
    }
}
