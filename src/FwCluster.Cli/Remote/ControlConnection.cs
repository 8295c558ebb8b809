using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;

namespace FwCluster.Cli.Remote;

/// <summary>A connection to the first endpoint that answers.</summary>
internal sealed class ControlConnection : IDisposable
{
    private readonly GrpcChannel _channel;

    private ControlConnection(GrpcChannel channel) => _channel = channel;

    /// <summary>What clients call by.</summary>
    public CallInvoker Invoker => _channel.CreateCallInvoker();

    /// <summary>Connects.</summary>
    /// <exception cref="FwctlException">No endpoint answers, or a file cannot be used.</exception>
    public static async Task<ControlConnection> OpenAsync(Context context, CancellationToken stop)
    {
        var reasons = new List<string>();
        foreach (var endpoint in context.Endpoints)
        {
            try
            {
                var first = await endpoint.ConnectAsync(stop).ConfigureAwait(false);
                return new ControlConnection(Channel(endpoint, first, context));
            }
            catch (Exception e) when (e is SocketException or TimeoutException or IOException)
            {
                reasons.Add($"{endpoint}: {e.Message}");
            }
        }
        throw new FwctlException($"no control plane could be reached: {string.Join("; ", reasons)}") { ExitCode = ExitCode.Unreachable };
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static GrpcChannel Channel(Endpoint endpoint, Stream first, Context context)
    {
        Stream? connected = first;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) => Interlocked.Exchange(ref connected, null) ?? await endpoint.ConnectAsync(stop).ConfigureAwait(false),
        };
        if (!endpoint.IsPlain) SetCertificates(handler, context);
        var client = new HttpClient(handler);
        if (context.TokenFile is { } tokens) client.DefaultRequestHeaders.Add("authorization", $"Bearer {RuleFiles.ReadText(tokens).Trim()}");
        return GrpcChannel.ForAddress(endpoint.Address, new GrpcChannelOptions { HttpClient = client, DisposeHttpClient = true, MaxReceiveMessageSize = null, MaxSendMessageSize = null });
    }

    private static void SetCertificates(SocketsHttpHandler handler, Context context)
    {
        try
        {
            if (context.Authority is { } authority)
            {
                var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                policy.CustomTrustStore.ImportFromPemFile(authority);
                handler.SslOptions.CertificateChainPolicy = policy;
            }
            if (context.Certificate is null) return;
            var certificate = X509Certificate2.CreateFromPemFile(context.Certificate, context.Key ?? context.Certificate);
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FwctlException($"{context.Authority}, {context.Certificate}: the certificates cannot be used: {e.Message}", e);
        }
    }
}
