using System.Text;

namespace FwCluster.Packets.Tests.Kernel;

/// <summary>The fragments of a datagram, as somebody well-meaning, unlucky or hostile sends them.</summary>
internal static class FragmentTrain
{
    private const byte Protocol = 200;

    /// <summary>Bytes <paramref name="from"/> to <paramref name="to"/> of the datagram as one fragment.</summary>
    public static byte[] Fragment(IpFamily family, byte[] data, int from, int to, bool more, uint id, byte tos = 0, bool dontFragment = false,
        byte protocol = Protocol, byte[]? before = null, int? offset = null)
    {
        var at = offset ?? from;
        return family == IpFamily.IPv4
            ? PacketBuilder.IPv4(protocol, "10.0.0.1", "10.0.0.2", data.AsSpan(from, to - from), (ushort)id,
                at / 8 | (more ? 0x2000 : 0) | (dontFragment ? 0x4000 : 0), tos, options: before)
            : PacketBuilder.IPv6Fragment(protocol, "fd00::1", "fd00::2", data.AsSpan(from, to - from), at & ~7, more, id, tos,
                before is null ? IpProtocol.Fragment : IpProtocol.DestinationOptions, before);
    }

    /// <summary>A train with one to three kinds of mischief in it, or none.</summary>
    public static List<byte[]> Random(Random random, IpFamily family, uint id)
    {
        // Around the longest that a packet may be, the few bytes of the header decide.
        var data = new byte[random.Next(12) switch { 0 => random.Next(60_000, 65_536), 1 => random.Next(65_500, 65_536), _ => random.Next(9, 3000) }];
        random.NextBytes(data);
        var protocol = (byte)(random.Next(3) == 0 ? IpProtocol.Udp : Protocol);
        var before = random.Next(4) == 0 ? Options(family) : null;
        var size = Math.Max(8, random.Next(1, Math.Max(2, data.Length / 8)) & ~7);
        if (data.Length / size > 150) size = data.Length / 150 / 8 * 8 + 8;

        var tos = (byte)random.Next(4);
        byte Tos() => random.Next(40) == 0 ? (byte)random.Next(4) : tos;
        var dontFragment = random.Next(6) == 0;
        byte[] Cut(int from, int to, bool more, int? offset = null)
            => Fragment(family, data, from, to, more, id, Tos(), dontFragment && random.Next(2) == 0, protocol, before, offset);

        var train = new List<byte[]>();
        for (var from = 0; from < data.Length; from += size)
        {
            var to = Math.Min(from + size, data.Length);
            train.Add(Cut(from, to, more: to < data.Length));
        }
        Order(random, train);
        for (var mischief = random.Next(4); mischief > 0; mischief--) Disturb(random, family, data, id, train, Cut);
        return train;
    }

    public static string Describe(List<byte[]> train)
    {
        var text = new StringBuilder();
        foreach (var packet in train)
        {
            PacketDecoder.Decode(packet, packet.Length, out var headers);
            text.Append(System.Globalization.CultureInfo.InvariantCulture,
                $"  id {headers.FragmentId} offset {headers.FragmentOffset} length {headers.TransportLength} {headers.Traits}"
                + $" ecn {headers.Tos & 3} proto {headers.Protocol} total {headers.TotalLength}\n");
        }
        return text.ToString();
    }

    private static void Order(Random random, List<byte[]> train)
    {
        switch (random.Next(4))
        {
            case 0:
                train.Reverse();
                break;
            case 1:
                var shuffled = train.ToArray();
                random.Shuffle(shuffled);
                train.Clear();
                train.AddRange(shuffled);
                break;
            case 2 when train.Count > 1:
                var index = random.Next(train.Count - 1);
                (train[index], train[index + 1]) = (train[index + 1], train[index]);
                break;
        }
    }

    private static void Disturb(Random random, IpFamily family, byte[] data, uint id, List<byte[]> train, Func<int, int, bool, int?, byte[]> cut)
    {
        var place = random.Next(train.Count + 1);
        var from = random.Next(data.Length) & ~7;
        var to = Math.Min(data.Length, from + random.Next(1, 200));
        switch (random.Next(9))
        {
            case 0:
                train.Insert(place, train[random.Next(train.Count)]);
                break;
            case 1:
                train.RemoveAt(random.Next(train.Count));
                break;
            case 2:
                train.Insert(place, cut(from, Math.Min(data.Length, from + ((to - from + 7) & ~7)), true, null));
                break;
            case 3:
                // An end of its own, right or wrong.
                train.Insert(place, cut(from, to, false, null));
                break;
            case 4:
                // Not a multiple of 8, and more to follow.
                train.Insert(place, cut(from, to, true, null));
                break;
            case 5:
                train.Insert(place, cut(0, 0, random.Next(2) == 0, from));
                break;
            case 6:
                // Beyond what a packet may be.
                train.Insert(place, cut(0, Math.Min(data.Length, random.Next(8, 400)), random.Next(2) == 0, 65_528 - random.Next(10) * 8));
                break;
            case 7:
                for (var other = random.Next(50, 80); other > 0; other--)
                    train.Insert(place, Fragment(family, data, 0, 8, more: true, id: 40_000 + (id * 100 + (uint)other) % 20_000, protocol: 201));
                break;
            case 8:
                // Ends before its transport header does (of a first fragment).
                train.Insert(place, cut(0, random.Next(Math.Min(16, data.Length)), true, 0));
                break;
        }
        if (train.Count == 0) train.Add(cut(0, Math.Min(8, data.Length), true, null));
    }

    /// <summary>IPv4: a record route option, copied into no fragment; IPv6: destination options before the fragment header.</summary>
    private static byte[] Options(IpFamily family)
        => family == IpFamily.IPv4 ? [7, 7, 4, 0, 0, 0, 0, 0] : [IpProtocol.Fragment, 0, 1, 4, 0, 0, 0, 0];
}
