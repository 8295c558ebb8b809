using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>
/// The <c>ftp</c> helper: reads PORT, EPRT and the replies 227 and 229 on control connections, and expects the data connection
/// that they announce. Decides what the kernel's nf_conntrack_ftp.c (<c>help</c>) decides:
/// <list type="bullet">
/// <item>Only a line at the beginning of a segment is read, and only where the segment before it ended with a newline
/// (<see cref="LineTracker"/>). So the first segment of each direction is not read.</item>
/// <item>A segment that begins such a line and does not finish it, or writes it wrongly, is dropped: the sender sends it again,
/// and more of it.</item>
/// <item>Only the speaker's own address is expected, unless <see cref="Loose"/>: nobody opens a way to a third host.</item>
/// <item>Where the expectation cannot be noted, the segment is dropped.</item>
/// </list>
/// One thing the kernel does not do: once the client's AUTH TLS (or SSL) was answered with 234 the helper is quiet. What follows
/// is encrypted; a record that happens to look like a line must be neither dropped nor believed. A connection that returns to
/// clear text (CCC) is not seen to do so.
/// Of a packet that was captured in part, what is not there is not guessed: a line that goes on behind the captured bytes is let
/// through unread, and where such a packet's last byte is not there, no line begins after it.
/// </summary>
public sealed class FtpHelper : ConnectionHelper
{
    /// <summary>The name of this helper.</summary>
    public const string HelperName = "ftp";

    /// <summary>The port it attaches to by itself, unless told otherwise.</summary>
    public const ushort DefaultPort = 21;

    /// <inheritdoc/>
    public override string Name => HelperName;

    /// <inheritdoc/>
    public override byte Protocol => IpProtocol.Tcp;

    /// <inheritdoc/>
    public override int MaxExpected => 1;

    /// <inheritdoc/>
    public override TimeSpan ExpectTimeout => TimeSpan.FromMinutes(5);

    /// <summary>Also expect connections to an address that is not the speaker's (the kernel module's parameter
    /// <c>loose</c>).</summary>
    public bool Loose { get; init; }

    /// <inheritdoc/>
    public override byte[] Save(object? state) => state is FtpControl control ? control.Save() : [];

    /// <inheritdoc/>
    public override object? Load(ReadOnlySpan<byte> bytes) => FtpControl.Load(bytes);

    /// <inheritdoc/>
    public override object? PickUp(object? state) => FtpControl.PickedUp(state as FtpControl);

    /// <inheritdoc/>
    public override bool MayExpect(in HelperCall call)
    {
        if (!IsRead(in call) || call.State is not FtpControl { IsEncrypted: false } control) return false;
        var lines = control.Lines(call.Direction); // a copy, whose pick-up may be used up
        return lines.BeginsLine(call.Headers.TcpSequence)
            && FindAnnouncement(call.Payload, in call.Headers, call.Direction, out var endpoint) == FtpMatch.Found
            && MayBeExpected(in call, in endpoint);
    }

    /// <inheritdoc/>
    public override bool Help(ref HelperCall call)
    {
        ref readonly var headers = ref call.Headers;
        if (!IsRead(in call)) return true;

        call.State ??= new FtpControl();
        var control = (FtpControl)call.State;
        if (control.IsEncrypted) return true;

        var segment = call.Payload;
        var isWhole = segment.Length == headers.PayloadLength;
        ref var lines = ref control.Lines(call.Direction);
        var accept = true;
        if (lines.BeginsLine(headers.TcpSequence))
        {
            var match = FindAnnouncement(segment, in headers, call.Direction, out var endpoint);
            switch (match)
            {
                case FtpMatch.Found:
                    accept = Expect(ref call, in endpoint);
                    break;
                // Dropped, and its end is no line's beginning: it comes again.
                case FtpMatch.Cut when isWhole:
                case FtpMatch.Malformed:
                    return false;
                case FtpMatch.None:
                    control.NoteSecurity(segment, call.Direction);
                    break;
            }
        }
        if (isWhole && segment[^1] == '\n') lines.NoteLineStart(headers.TcpSequence + (uint)segment.Length);
        return accept;
    }

    private static bool IsRead(in HelperCall call)
        => call.PacketState == ConntrackState.Established && call.Headers.Transport == TransportHeader.Whole && call.Headers.PayloadLength > 0;

    private bool MayBeExpected(in HelperCall call, in FtpEndpoint endpoint) => endpoint.Address == call.Headers.Source || Loose;

    private static FtpMatch FindAnnouncement(
        ReadOnlySpan<byte> segment, in PacketHeaders headers, Direction direction, out FtpEndpoint endpoint)
    {
        // A 229 reply names no address: the speaker's it is.
        endpoint = new FtpEndpoint { Family = headers.Family, Address = headers.Source };
        foreach (var pattern in FtpPattern.Of(direction))
        {
            var match = pattern.Match(segment, ref endpoint);
            if (match != FtpMatch.None) return match;
        }
        return FtpMatch.None;
    }

    /// <summary>Expects a connection from the listener's peer, from any port.</summary>
    private bool Expect(ref HelperCall call, in FtpEndpoint endpoint)
    {
        ref readonly var headers = ref call.Headers;
        if (!MayBeExpected(in call, in endpoint)) return true;
        return call.Expectations.Expect(
            new Expectation
            {
                Tuple = new FlowTuple
                {
                    Source = headers.Destination,
                    Destination = endpoint.Address,
                    DestinationPort = endpoint.Port,
                    Protocol = IpProtocol.Tcp,
                    Family = headers.Family,
                },
                MatchSourceAddress = true,
                Zone = call.Connection.Zone,
                Master = call.ConnectionIndex,
            },
            this,
            call.Now);
    }
}
