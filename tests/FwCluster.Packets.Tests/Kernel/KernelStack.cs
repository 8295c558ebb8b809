using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace FwCluster.Packets.Tests.Kernel;

/// <summary>What the kernel's netfilter saw of a packet: its bytes behind defragmentation, and tracking's opinion.</summary>
internal sealed record SeenPacket(byte[] Bytes, bool IsInvalid);

/// <summary>
/// A private network namespace with connection tracking in it. Frames go in through a veth pair; what passes the kernel's receive path and
/// defragmentation comes back, whole, by NFLOG from the mangle table's PREROUTING chain, which is behind both.
/// </summary>
internal sealed class KernelStack : IDisposable
{
    private const ushort LogGroup = 5;
    private const int ConfigureLog = 4 << 8 | 1;
    private const int LoggedPacket = 4 << 8;
    private const int PayloadAttribute = 9;
    private const int PrefixAttribute = 10;

    private static readonly string[] Tools = ["ip", "iptables", "ip6tables"];
    private static readonly byte[] RouterMac = [2, 0, 0, 0, 0, 1];
    private static readonly byte[] PeerMac = [2, 0, 0, 0, 0, 2];

    private readonly string _router = $"fwtr{Guid.NewGuid():N}"[..12];
    private readonly string _peer = $"fwtp{Guid.NewGuid():N}"[..12];
    private readonly byte[] _receiveBuffer = new byte[1 << 18];
    private readonly Queue<SeenPacket> _seen = new();
    private int _sender = -1;
    private int _log = -1;
    private uint _sentinel;
    private int _unread;

    private KernelStack()
    {
    }

    /// <summary>Why the kernel cannot be asked here, or null.</summary>
    public static string? Unavailable
    {
        get
        {
            if (!OperatingSystem.IsLinux()) return "the kernel's netfilter is Linux's";
            if (NativeMethods.EffectiveUser() != 0) return "network namespaces and raw sockets need root";
            return Tools.FirstOrDefault(tool => !IsInPath(tool)) is { } missing
                ? $"the tool '{missing}' is not installed"
                : null;
        }
    }

    /// <summary>Makes the namespaces. Sysctls are set in the router's before the links come up.</summary>
    public static KernelStack Start(params string[] sysctls)
    {
        var stack = new KernelStack();
        try
        {
            stack.SetUp(sysctls);
            return stack;
        }
        catch
        {
            stack.Dispose();
            throw;
        }
    }

    /// <summary>Gives the kernel IP packets one after the other and returns what netfilter saw, in order.</summary>
    /// <remarks>Each processor has its own queue of received packets: a thread that moved in between could overtake itself.</remarks>
    public List<SeenPacket> Exchange(IEnumerable<byte[]> packets)
    {
        var allowed = new byte[128];
        Check(NativeMethods.GetAffinity(0, allowed.Length, allowed), "sched_getaffinity");
        var current = new byte[128];
        var processor = NativeMethods.CurrentProcessor();
        current[processor / 8] = (byte)(1 << processor % 8);
        Check(NativeMethods.SetAffinity(0, current.Length, current), "sched_setaffinity");
        try
        {
            foreach (var packet in packets) Send(packet);
            return Collect();
        }
        finally
        {
            _ = NativeMethods.SetAffinity(0, allowed.Length, allowed);
        }
    }

    /// <summary>What netfilter saw since the last call, up to now: a packet that nothing else sends marks where "now" is.</summary>
    private List<SeenPacket> Collect()
    {
        var sentinel = PacketBuilder.IPv4(253, "192.0.2.253", "192.0.2.254", BitConverter.GetBytes(++_sentinel));
        Send(sentinel);
        var result = new List<SeenPacket>();
        while (true)
        {
            var seen = Receive();
            if (seen.Bytes.AsSpan().SequenceEqual(sentinel)) return result;
            result.Add(seen);
        }
    }

    public void Dispose()
    {
        if (_sender >= 0) _ = NativeMethods.Close(_sender);
        if (_log >= 0) _ = NativeMethods.Close(_log);
        foreach (var name in new[] { _router, _peer }) Run("ip", $"netns del {name}", mustSucceed: false);
    }

    private void SetUp(string[] sysctls)
    {
        Run("ip", $"netns add {_router}");
        Run("ip", $"netns add {_peer}");
        Run("ip", $"-n {_router} link add rin mtu 65535 address {Text(RouterMac)} type veth"
            + $" peer name pin mtu 65535 address {Text(PeerMac)} netns {_peer}");
        Run("ip", $"netns exec {_peer} sysctl -qw net.ipv6.conf.pin.disable_ipv6=1");
        foreach (var table in Tools[1..])
        {
            Run("ip", $"netns exec {_router} {table} -t mangle -A PREROUTING -m conntrack --ctstate INVALID"
                + $" -j NFLOG --nflog-group {LogGroup} --nflog-threshold 1 --nflog-prefix invalid");
            Run("ip", $"netns exec {_router} {table} -t mangle -A PREROUTING -m conntrack ! --ctstate INVALID"
                + $" -j NFLOG --nflog-group {LogGroup} --nflog-threshold 1 --nflog-prefix valid");
            Run("ip", $"netns exec {_router} {table} -t mangle -A PREROUTING -j DROP");
        }
        foreach (var sysctl in sysctls.Prepend("net.netfilter.nf_conntrack_checksum=0").Append("net.ipv6.conf.rin.addr_gen_mode=1"))
            Run("ip", $"netns exec {_router} sysctl -qw {sysctl}");
        Run("ip", $"-n {_router} link set rin arp off up");
        Run("ip", $"-n {_peer} link set pin up");
        _sender = InNamespace(_peer, OpenSender);
        _log = InNamespace(_router, OpenLog);
    }

    private void Send(byte[] packet)
    {
        var frame = new byte[14 + packet.Length];
        RouterMac.CopyTo(frame, 0);
        PeerMac.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), packet[0] >> 4 == 6 ? (ushort)0x86dd : (ushort)0x0800);
        packet.CopyTo(frame, 14);
        Check(NativeMethods.Send(_sender, frame, frame.Length, 0), "send");
        // Take out what is there before the socket's buffer is full.
        if (++_unread % 32 == 0) ReadLog(wait: false);
    }

    private SeenPacket Receive()
    {
        while (_seen.Count == 0) ReadLog(wait: true);
        return _seen.Dequeue();
    }

    private void ReadLog(bool wait)
    {
        const int doNotWait = 0x40;
        while (true)
        {
            var length = NativeMethods.Receive(_log, _receiveBuffer, _receiveBuffer.Length, wait ? 0 : doNotWait);
            if (length < 0 && !wait && Marshal.GetLastPInvokeError() == 11) return;
            Check(length, "recv from NFLOG");
            ReadMessages(_receiveBuffer.AsSpan(0, (int)length));
            if (wait) return;
        }
    }

    private void ReadMessages(ReadOnlySpan<byte> messages)
    {
        while (messages.Length >= 16)
        {
            var length = BitConverter.ToInt32(messages);
            if (BitConverter.ToUInt16(messages[4..]) == LoggedPacket) _seen.Enqueue(ReadPacket(messages[20..length]));
            messages = messages[Math.Min((length + 3) & ~3, messages.Length)..];
        }
    }

    private static SeenPacket ReadPacket(ReadOnlySpan<byte> attributes)
    {
        var (bytes, isInvalid) = (Array.Empty<byte>(), false);
        while (attributes.Length >= 4)
        {
            int length = BitConverter.ToUInt16(attributes);
            var type = BitConverter.ToUInt16(attributes[2..]) & 0x3fff;
            if (type == PayloadAttribute) bytes = attributes[4..length].ToArray();
            if (type == PrefixAttribute) isInvalid = attributes[4] == (byte)'i';
            attributes = attributes[Math.Min((length + 3) & ~3, attributes.Length)..];
        }
        return new SeenPacket(bytes, isInvalid);
    }

    private static int OpenSender()
    {
        var socket = Check(NativeMethods.OpenSocket(NativeMethods.AddressFamilyPacket, NativeMethods.SocketRaw, 0), "packet socket");
        Check(NativeMethods.SetOption(socket, NativeMethods.SocketLevel, NativeMethods.ForceSendBuffer, BitConverter.GetBytes(1 << 22), 4), "sndbuf");
        var address = new byte[20];
        BitConverter.TryWriteBytes(address, (ushort)NativeMethods.AddressFamilyPacket);
        BitConverter.TryWriteBytes(address.AsSpan(4), NativeMethods.InterfaceIndex("pin"));
        Check(NativeMethods.Bind(socket, address, address.Length), "bind to the veth");
        return socket;
    }

    /// <summary>Subscribes to the log group with whole packets (linux/netfilter/nfnetlink_log.h).</summary>
    private static int OpenLog()
    {
        const int netfilter = 12;
        var socket = Check(NativeMethods.OpenSocket(NativeMethods.AddressFamilyNetlink, NativeMethods.SocketRaw, netfilter), "netlink socket");
        var timeout = new byte[16];
        timeout[0] = 20;
        Check(NativeMethods.SetOption(socket, NativeMethods.SocketLevel, NativeMethods.ReceiveTimeout, timeout, 16), "timeout");
        Check(NativeMethods.SetOption(socket, NativeMethods.SocketLevel, NativeMethods.ForceReceiveBuffer, BitConverter.GetBytes(1 << 26), 4), "rcvbuf");
        var address = new byte[12];
        BitConverter.TryWriteBytes(address, (ushort)NativeMethods.AddressFamilyNetlink);
        Check(NativeMethods.Bind(socket, address, address.Length), "bind to netlink");
        Configure(socket, attribute: 1, [1]);                              // bind to the group
        Configure(socket, attribute: 3, [0, 4, 0, 0]);                     // buffer of 256 KiB
        Configure(socket, attribute: 2, [0, 0, 0xff, 0xfb, 2, 0]);         // copy whole packets
        Configure(socket, attribute: 5, [0, 0, 0, 1]);                     // deliver each at once
        return socket;
    }

    private static void Configure(int socket, ushort attribute, byte[] value)
    {
        const ushort requestWithAcknowledgment = 5;
        var message = new byte[20 + ((4 + value.Length + 3) & ~3)];
        BitConverter.TryWriteBytes(message, message.Length);
        BitConverter.TryWriteBytes(message.AsSpan(4), (ushort)ConfigureLog);
        BitConverter.TryWriteBytes(message.AsSpan(6), requestWithAcknowledgment);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(18), LogGroup);
        BitConverter.TryWriteBytes(message.AsSpan(20), (ushort)(4 + value.Length));
        BitConverter.TryWriteBytes(message.AsSpan(22), attribute);
        value.CopyTo(message, 24);
        Check(NativeMethods.Send(socket, message, message.Length, 0), "netlink send");
        var answer = new byte[256];
        Check(NativeMethods.Receive(socket, answer, answer.Length, 0), "netlink acknowledgment");
        var error = BitConverter.ToInt32(answer, 16);
        if (error != 0)
            throw new InvalidOperationException($"NFLOG group {LogGroup}: configuring attribute {attribute} failed with error {-error}.");
    }

    /// <summary>A socket belongs for good to the namespace that its thread was in when it was made.</summary>
    private static int InNamespace(string name, Func<int> open)
    {
        var (result, failure) = (-1, default(Exception));
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/run/netns/{name}");
                Check(NativeMethods.SetNamespace((int)file.DangerousGetHandle(), NativeMethods.CloneNewNet), "setns");
                result = open();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw failure;
    }

    private static int Check(nint result, string what)
        => result >= 0 ? (int)result : throw new InvalidOperationException($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");

    private static string Text(byte[] mac) => string.Join(':', mac.Select(part => part.ToString("x2", CultureInfo.InvariantCulture)));

    private static bool IsInPath(string tool)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
            .Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static void Run(string tool, string arguments, bool mustSucceed = true)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"'{tool}' did not start.");
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (mustSucceed && process.ExitCode != 0) throw new InvalidOperationException($"'{tool} {arguments}' failed: {error}");
    }
}
