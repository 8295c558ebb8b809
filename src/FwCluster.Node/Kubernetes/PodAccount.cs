using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.Kubernetes;

/// <summary>
/// The pod's service account, as the kubelet mounts it: a folder with <c>token</c>, <c>ca.crt</c> and <c>namespace</c>. They are read for each request,
/// because the kubelet renews them.
/// </summary>
internal sealed class PodAccount(KubernetesSettings settings)
{
    /// <summary>The pod's namespace.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public string Namespace => Read("namespace");

    /// <summary>Posts to the API server.</summary>
    /// <param name="path">Such as <c>/api/v1/namespaces/firewall/events</c>.</param>
    /// <param name="content">What.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="HttpRequestException">It cannot be reached, shows another certificate, or refuses; the message says which.</exception>
    /// <exception cref="IOException">The account cannot be read.</exception>
    public async Task PostAsync(string path, HttpContent content, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = Trust() }, AllowAutoRedirect = false, UseProxy = false };
        using var client = new HttpClient(handler) { BaseAddress = settings.Server };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Read("token"));
        using var answer = await client.SendAsync(request, cancellation).ConfigureAwait(false);
        if (answer.IsSuccessStatusCode) return;
        var why = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        throw new HttpRequestException($"the API server answers {(int)answer.StatusCode}: {(why.Length > MostWords ? why[..MostWords] : why)}", null, answer.StatusCode);
    }

    private const int MostWords = 500;

    private X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPem(Read("ca.crt"));
        }
        catch (CryptographicException e)
        {
            throw new IOException($"{Path.Combine(settings.Account, "ca.crt")}: {e.Message}", e);
        }
        return policy;
    }

    private string Read(string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(settings.Account, name)).Trim();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
