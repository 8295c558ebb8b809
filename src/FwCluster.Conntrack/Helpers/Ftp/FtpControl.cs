namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>
/// What <see cref="FtpHelper"/> remembers of one control connection (<c>struct nf_ct_ftp_master</c>, and whether TLS has begun).
/// One is made with the first payload, none later.
/// </summary>
public sealed class FtpControl
{
    private LineTracker _original;
    private LineTracker _reply;
    private TlsProgress _tls;

    private enum TlsProgress : byte
    {
        Clear,
        Requested,
        Accepted,
    }

    /// <summary>True once the server accepted the client's AUTH TLS: what follows is not text.</summary>
    public bool IsEncrypted => _tls == TlsProgress.Accepted;

    /// <summary>
    /// What to begin with for a connection whose lines somebody else has read until now: the next segment of each direction is
    /// taken for a line's beginning. Otherwise the first command after the connection was taken over would be missed.
    /// </summary>
    /// <param name="before">What was known of it; null for nothing. TLS does not end unseen.</param>
    public static FtpControl PickedUp(FtpControl? before = null)
        => new() { _original = LineTracker.PickedUp, _reply = LineTracker.PickedUp, _tls = before?._tls ?? TlsProgress.Clear };

    /// <summary>Writes it as bytes.</summary>
    internal byte[] Save()
    {
        var bytes = new byte[2 * LineTracker.SavedBytes + 1];
        _original.Save(bytes);
        _reply.Save(bytes.AsSpan(LineTracker.SavedBytes));
        bytes[^1] = (byte)_tls;
        return bytes;
    }

    /// <summary>Reads what <see cref="Save"/> wrote; null where it did not.</summary>
    internal static FtpControl? Load(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 2 * LineTracker.SavedBytes + 1 || bytes[^1] > (byte)TlsProgress.Accepted) return null;
        var isRight = LineTracker.TryLoad(bytes, out var original) & LineTracker.TryLoad(bytes[LineTracker.SavedBytes..], out var reply);
        return isRight ? new FtpControl { _original = original, _reply = reply, _tls = (TlsProgress)bytes[^1] } : null;
    }

    /// <summary>Where lines begin in this direction.</summary>
    internal ref LineTracker Lines(Direction direction)
    {
        if (direction == Direction.Original) return ref _original;
        return ref _reply;
    }

    /// <summary>Follows AUTH and its answer.</summary>
    /// <param name="line">A segment that begins with a line's beginning.</param>
    /// <param name="direction">Who says it.</param>
    internal void NoteSecurity(ReadOnlySpan<byte> line, Direction direction)
    {
        if (direction == Direction.Original)
        {
            // A refused request stays noted: no other command is ever answered with 234.
            if (_tls == TlsProgress.Clear && FtpSecurity.AsksForTls(line)) _tls = TlsProgress.Requested;
        }
        else if (_tls == TlsProgress.Requested && FtpSecurity.Accepts(line))
        {
            _tls = TlsProgress.Accepted;
        }
    }
}
