using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FwCluster.Referee.Lab;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>Of Kubernetes' API server, what takes Events: with TLS, from whoever has the token, where they are what the API lets in.</summary>
internal sealed class ApiServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly BlockingCollection<Corev1Event> _events = [];
    private readonly X509Certificate2 _certificate;
    private readonly Socket _socket; // the server has its handle
    private readonly WebApplication _app;

    public ApiServer(NetworkNamespace where)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kubernetes", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(Kubelet.ApiServer.Address));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        _certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        _socket = where.Run(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(Kubelet.ApiServer.Address), Kubelet.ApiServer.Port));
            return socket;
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenHandle((ulong)_socket.SafeHandle.DangerousGetHandle(),
            listen => listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = _certificate })));
        _app = builder.Build();
        _app.MapPost("/api/v1/namespaces/{name}/events", (string name, HttpRequest asked) => TakeAsync(name, asked));
        _app.StartAsync().GetAwaiter().GetResult();
    }

    /// <summary>The authority that pods are to trust.</summary>
    public string Authority => _certificate.ExportCertificatePem();

    /// <summary>The token that lets in.</summary>
    public string Token { get; set; } = "first";

    /// <summary>The next Event that came; fails where none does.</summary>
    public Corev1Event Next(Pod pod)
    {
        Assert.True(_events.TryTake(out var next, Patience), pod.Output);
        return next;
    }

    /// <summary>Asserts that there is no other.</summary>
    public void AssertNoMore() => Assert.Empty(_events);

    /// <inheritdoc/>
    public void Dispose()
    {
        _app.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _socket.Dispose();
        _certificate.Dispose();
        _events.Dispose();
    }

    private async Task<IResult> TakeAsync(string name, HttpRequest asked)
    {
        if (asked.Headers.Authorization != $"Bearer {Token}") return Results.Text("{\"kind\":\"Status\",\"message\":\"Unauthorized\"}", statusCode: StatusCodes.Status401Unauthorized);
        using var reader = new StreamReader(asked.Body);
        // YAML has all of JSON, and its reader knows what is no field of an Event.
        var said = KubernetesYaml.Deserialize<Corev1Event>(await reader.ReadToEndAsync(), strict: true);
        if (asked.ContentType?.StartsWith("application/json", StringComparison.Ordinal) is not true || said.ApiVersion != "v1" || said.Kind != "Event"
            || said.Metadata.NamespaceProperty != name || said.InvolvedObject.NamespaceProperty != name || string.IsNullOrEmpty(said.Metadata.GenerateName))
        {
            return Results.Text("{\"kind\":\"Status\",\"message\":\"Invalid\"}", statusCode: StatusCodes.Status422UnprocessableEntity);
        }
        _events.Add(said);
        return Results.Text("{}", "application/json", statusCode: StatusCodes.Status201Created);
    }
}
