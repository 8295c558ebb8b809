using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FwCluster.Cli.Remote;

/// <summary>Where a control plane listens: <c>unix:/run/...</c>, <c>host:4054</c> with TLS, or <c>http://127.0.0.1:4055</c> in plain text.</summary>
/// <param name="Path">The Unix socket; null for a host.</param>
/// <param name="Host">The host.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsPlain">True for plain text.</param>
internal sealed record Endpoint(string? Path, string Host, int Port, bool IsPlain)
{
    private const int UsualPort = 4054;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The address that a channel is opened for.</summary>
    public Uri Address => new(string.Create(CultureInfo.InvariantCulture, $"{(IsPlain ? "http" : "https")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}"));

    /// <summary>Reads an endpoint as people write it.</summary>
    /// <exception cref="FwctlException">It is none.</exception>
    public static Endpoint Parse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return new("/" + text["unix:".Length..].TrimStart('/'), "localhost", 80, true);
        var uri = text.Contains("://", StringComparison.Ordinal) ? text : "https://" + text;
        if (!Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https") || parsed.Host.Length == 0)
            throw new FwctlException($"--endpoint {text}: unix:/run/fwclusterd/control.sock, gateway1:4054 and http://127.0.0.1:4055 would be right");
        var isPlain = parsed.Scheme == "http";
        if (isPlain && !(parsed.Host == "localhost" || (IPAddress.TryParse(parsed.DnsSafeHost, out var address) && IPAddress.IsLoopback(address))))
            throw new FwctlException($"--endpoint {text}: plain text is for this machine only; https://{parsed.Authority} goes elsewhere");
        var saysPort = uri.LastIndexOf(':') > uri.LastIndexOf(']') && uri.LastIndexOf(':') > "https:".Length;
        return new(null, parsed.DnsSafeHost, saysPort ? parsed.Port : UsualPort, isPlain);
    }

    /// <summary>Connects, within 3 seconds.</summary>
    public async Task<Stream> ConnectAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        var socket = Path is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(Path is null ? new DnsEndPoint(Host, Port) : new UnixDomainSocketEndPoint(Path), limit.Token).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no answer within {Patience.TotalSeconds} s");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Path is null ? Address.ToString().TrimEnd('/') : "unix:" + Path;
}
