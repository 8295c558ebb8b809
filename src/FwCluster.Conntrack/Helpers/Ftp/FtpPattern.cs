using System.Text;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>Reads an endpoint from the first byte of <paramref name="text"/> on.</summary>
/// <param name="text">The rest of the segment.</param>
/// <param name="terminator">What must follow the numbers; 0 where anything may.</param>
/// <param name="endpoint">Gets what was read; its content counts only where the result is <see cref="FtpMatch.Found"/>.</param>
internal delegate FtpMatch FtpEndpointParser(ReadOnlySpan<byte> text, byte terminator, ref FtpEndpoint endpoint);

/// <summary>
/// One line that announces a data connection (<c>struct ftp_search</c>). There are four, two a direction: <see cref="Of"/>.
/// </summary>
internal sealed class FtpPattern
{
    private const byte NotSkipped = 0;
    private const byte Any = 0;

    // What a client says: it listens, the server connects (active).
    private static readonly FtpPattern[] FromClient =
    [
        // keyword, skip to, ends with, numbers
        new("PORT"u8, (byte)' ', (byte)'\r', FtpNumbers.HostPort),           // PORT 10,0,0,1,4,5               RFC 959
        new("EPRT"u8, (byte)' ', (byte)'\r', FtpNumbers.ExtendedPort),       // EPRT |2|2001:db8::1|6275|       RFC 2428
    ];

    // What a server answers: it listens, the client connects (passive).
    private static readonly FtpPattern[] FromServer =
    [
        new("227 "u8, NotSkipped, Any, FtpNumbers.FirstHostPort),            // 227 Entering ... (10,0,0,1,4,5) RFC 1123
        new("229 "u8, (byte)'(', (byte)')', FtpNumbers.ExtendedPassive),     // 229 Entering ... (|||6446|)     RFC 2428
    ];

    private readonly byte[] _keyword;
    private readonly byte _skipTo;
    private readonly byte _terminator;
    private readonly FtpEndpointParser _parse;

    private FtpPattern(ReadOnlySpan<byte> keyword, byte skipTo, byte terminator, FtpEndpointParser parse)
    {
        _keyword = keyword.ToArray();
        _skipTo = skipTo;
        _terminator = terminator;
        _parse = parse;
    }

    /// <summary>The lines that announce something in this direction, in the order in which they are tried.</summary>
    public static ReadOnlySpan<FtpPattern> Of(Direction direction)
        => direction == Direction.Original ? FromClient : FromServer;

    /// <summary>Looks for this line at the beginning of a segment (<c>find_pattern</c>). Does not allocate.</summary>
    public FtpMatch Match(ReadOnlySpan<byte> segment, ref FtpEndpoint endpoint)
    {
        var seen = Math.Min(segment.Length, _keyword.Length);
        if (!Ascii.EqualsIgnoreCase(segment[..seen], _keyword.AsSpan(0, seen))) return FtpMatch.None;
        if (segment.Length < _keyword.Length) return FtpMatch.Cut;

        var rest = segment[_keyword.Length..];
        if (_skipTo != NotSkipped)
        {
            // Whatever stands between the keyword and here is let through, line ends too.
            var at = rest.IndexOf(_skipTo);
            if (at < 0) return FtpMatch.Cut;
            rest = rest[(at + 1)..];
        }
        return _parse(rest, _terminator, ref endpoint);
    }
}
