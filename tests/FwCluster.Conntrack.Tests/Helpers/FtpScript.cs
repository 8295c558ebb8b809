using System.Text;
using System.Text.Json;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>
/// A random FTP dialogue as segments on the wire: right and wrong announcements and other lines, cut, retransmitted and
/// reordered. It depends on nothing but its seed.
/// </summary>
internal sealed class FtpScript
{
    private static readonly string[] ClientLines =
    [
        "USER anonymous\r\n", "PASS x@y\r\n", "PASV\r\n", "EPSV\r\n", "NOOP\r\n", "P\r\n", "LIST\n", "RETR PORT 10,0,0,1,4,5\r\n",
        "AUTH TLS\r\n", "STOR a b c", "EPRTX", "\r\n", "\n",
    ];

    private static readonly string[] ServerLines =
    [
        "220 ready\r\n", "331 Password?\r\n", "230-Hello\r\n227 (1,2,3,4,5,6)\r\n230 there\r\n",
        "200 PORT command successful\r\n", "502 No\r\n", "227-x\r\n", "22", "2", "226 Done\n", "\r\n", "\n",
        "228 (10,0,0,1,4,5)\r\n",
    ];

    private readonly Random _random;
    private readonly FlowTuple _original;

    public FtpScript(int seed, in FlowTuple original)
    {
        _random = new Random(seed);
        _original = original;
        Segments = [.. Disturb(Cut(Write()))];
    }

    /// <summary>A segment: where in its direction's stream it begins (the stream's first byte is 0), and its bytes.</summary>
    public sealed record Segment(Direction Direction, int Offset, byte[] Payload)
    {
        public override string ToString()
            => $"{Direction} {Offset}+{Payload.Length} {JsonSerializer.Serialize(Encoding.Latin1.GetString(Payload))}";
    }

    /// <summary>The segments, in the order in which they are sent.</summary>
    public IReadOnlyList<Segment> Segments { get; }

    private List<(Direction Direction, string Line)> Write()
    {
        var lines = new List<(Direction, string)> { (Direction.Reply, "220 ready\r\n"), (Direction.Original, "USER x\r\n") };
        if (_random.Next(8) == 0) lines.Clear();
        for (var count = _random.Next(1, 9); count > 0; count--)
        {
            var direction = (Direction)_random.Next(2);
            var line = _random.Next(3) switch
            {
                0 when direction == Direction.Original => Pick(ClientLines),
                0 => Pick(ServerLines),
                _ => Announcement(direction),
            };
            lines.Add((direction, _random.Next(4) == 0 ? Mutate(line) : line));
        }
        return lines;
    }

    private string Announcement(Direction direction)
    {
        var tuple = direction == Direction.Original ? _original : TupleInverse.Of(_original);
        var (own, family) = (tuple.Source, tuple.Family);
        var address = _random.Next(5) == 0 ? tuple.Destination : own;
        var port = _random.Next(12) == 0 ? 0 : _random.Next(1, 65536);
        if (_random.Next(2) == 0)
        {
            var first = (uint)(family == IpFamily.IPv4 ? address.Low : address.High >> 32);
            var numbers = $"{FourNumbers(first, ',')},{Numbers(port)}";
            return direction == Direction.Original
                ? Pick("PORT ", "port ", "PORT x ") + numbers + Pick("\r\n", "\r\n", "\r\n", "\n", "\r", "")
                : "227 " + Pick("Entering Passive Mode (", "(", "=", "Passive 1 (", "") + numbers
                    + Pick(")\r\n", ").\r\n", "\r\n", "\n", "");
        }
        var bar = Pick("|", "|", "|", "|", "!", "a", "g", ".", ":", "1", " ", "~");
        var text = _random.Next(16) == 0 ? $"{port + 65536}" : $"{port}";
        if (direction == Direction.Reply)
        {
            return "229 " + Pick("Entering Extended Passive Mode (", "(", "") + $"{bar}{bar}{bar}{text}{bar}"
                + Pick(")", "") + Pick("\r\n", "\n", "");
        }
        var written = family == IpFamily.IPv4 ? FourNumbers((uint)address.Low, '.') : IPv6(address);
        var number = _random.Next(16) == 0 ? "3" : family == IpFamily.IPv4 ? "1" : "2";
        return $"{Pick("EPRT ", "eprt ")}{bar}{number}{bar}{written}{bar}{text}{bar}{Pick("\r\n", "\n", "")}";
    }

    private string Numbers(int port) => _random.Next(4) switch
    {
        0 => $"0,{port}",
        1 => $"{(port >> 8) + 256},{port & 255}",
        _ => $"{port >> 8},{port & 255}",
    };

    /// <summary>Four numbers that are the address, now and then by running over.</summary>
    private string FourNumbers(uint address, char separator)
    {
        var (a, b, c, d) = (address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
        return string.Join(separator, _random.Next(8) switch
        {
            0 => [0, 0, 0, address],
            1 => [a, 0, b << 8 | c, d],
            2 => [a, b, c, d + (1UL << 32)],
            _ => (ulong[])[a, b, c, d],
        });
    }

    /// <summary>An IPv6 address in one of the ways to write it, or nearly.</summary>
    private string IPv6(IpAddress address)
    {
        var groups = Enumerable.Range(0, 8).Select(i => (ushort)(address.Value >> (112 - 16 * i))).ToArray();
        if (_random.Next(3) == 0) return address.ToString(IpFamily.IPv6);
        var words = groups.Select(group => group.ToString(Pick("x", "X", "x4", "x7"), null)).ToList();
        if (_random.Next(3) == 0)
        {
            words.RemoveRange(6, 2);
            words.Add($"{groups[6] >> 8}.{groups[6] & 255}.{groups[7] >> 8}.{groups[7] & 255}");
        }
        if (_random.Next(2) == 0)
        {
            // Somewhere "::" instead of some groups, zeroes or not.
            var from = _random.Next(words.Count + 1);
            var length = _random.Next(words.Count - from + 1);
            words.RemoveRange(from, length);
            return string.Join(':', words.Take(from)) + "::" + string.Join(':', words.Skip(from));
        }
        return string.Join(':', words);
    }

    private string Mutate(string line)
    {
        var text = new StringBuilder(line);
        for (var count = _random.Next(1, 3); count > 0 && text.Length > 0; count--)
        {
            var at = _random.Next(text.Length);
            switch (_random.Next(3))
            {
                case 0:
                    text.Remove(at, 1);
                    break;
                case 1:
                    text.Insert(at, Character());
                    break;
                default:
                    text[at] = Character();
                    break;
            }
        }
        return text.ToString();

        char Character()
        {
            const string telling = "0019,.:| (\r\n\0aF";
            return _random.Next(4) == 0 ? (char)_random.Next(256) : telling[_random.Next(telling.Length)];
        }
    }

    /// <summary>Cuts each direction's stream: at lines, inside them, across them.</summary>
    private List<Segment> Cut(List<(Direction Direction, string Line)> lines)
    {
        var segments = new List<Segment>();
        int[] offsets = [0, 0];
        var how = _random.Next(3);
        for (var i = 0; i < lines.Count; i++)
        {
            var (direction, line) = lines[i];
            // Sometimes the speaker's next line comes along.
            var goesOn = i + 1 < lines.Count && lines[i + 1].Direction == direction;
            if (how == 2 && goesOn && _random.Next(2) == 0) line += lines[++i].Line;
            var bytes = Encoding.Latin1.GetBytes(line);
            for (var at = 0; at < bytes.Length;)
            {
                var length = how == 0 || _random.Next(2) == 0 ? bytes.Length - at : _random.Next(1, bytes.Length - at + 1);
                segments.Add(new Segment(direction, offsets[(int)direction], bytes[at..(at + length)]));
                // Sometimes it is sent again with more: what a sender does where it was dropped.
                if (at + length == bytes.Length || _random.Next(2) == 0)
                {
                    at += length;
                    offsets[(int)direction] += length;
                }
            }
        }
        return segments;
    }

    private List<Segment> Disturb(List<Segment> segments)
    {
        for (var count = _random.Next(4) - 1; count > 0 && segments.Count > 1; count--)
        {
            var from = _random.Next(segments.Count);
            var to = Math.Min(from + _random.Next(1, 4), segments.Count - 1);
            if (_random.Next(2) == 0) (segments[from], segments[to]) = (segments[to], segments[from]);
            else segments.Insert(to, segments[from]);
        }
        return segments;
    }

    private string Pick(params ReadOnlySpan<string> choices) => choices[_random.Next(choices.Length)];
}
