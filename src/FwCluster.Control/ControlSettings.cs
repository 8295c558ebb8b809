using System.Net;

namespace FwCluster.Control;

/// <summary>Where the control plane listens, and who gets in.</summary>
public sealed record ControlSettings
{
    /// <summary>A Unix socket for gRPC in plain text, or null.</summary>
    public string? Socket { get; init; }

    /// <summary>Where to listen with TLS, gRPC and JSON; null for nowhere.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Where to listen in plain text, a loopback address: gRPC; null for nowhere.</summary>
    public IPEndPoint? PlainListen { get; init; }

    /// <summary>The node's certificate, PEM; needed with <see cref="Listen"/>.</summary>
    public string? Certificate { get; init; }

    /// <summary>Its key, PEM.</summary>
    public string? Key { get; init; }

    /// <summary>The authorities whose client certificates are taken, PEM; null where none is.</summary>
    public string? Authority { get; init; }

    /// <summary>The file of bearer tokens, or null.</summary>
    public string? Tokens { get; init; }

    /// <summary>The file of audit lines, or null for the log alone.</summary>
    public string? Audit { get; init; }

    /// <summary>Most bytes of a request, 64 KiB or more.</summary>
    public int MaxRequestBytes { get; init; } = 16 << 20;

    /// <summary>Calls a second that a caller may make, at least 1.</summary>
    public int CallsPerSecond { get; init; } = 100;

    /// <summary>Streams that a caller may have at a time, at least 1.</summary>
    public int StreamsPerCaller { get; init; } = 32;

    /// <summary>Time that a call which is no stream may take.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
