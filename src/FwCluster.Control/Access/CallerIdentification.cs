using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace FwCluster.Control.Access;

/// <summary>
/// Tells who calls: by a bearer token, else by the client's certificate, else by the user at the other end of a Unix socket. A call with a
/// token stands or falls with it.
/// </summary>
internal sealed class CallerIdentification(ClientCertificates? certificates, TokenFile? tokens)
{
    private const string Bearer = "Bearer ";
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private static readonly uint OwnUser = ReadOwnUser();

    /// <summary>Who calls, or null and why that is not known.</summary>
    public Caller? Identify(HttpContext context, out string why)
    {
        why = "";
        var from = context.Connection.RemoteIpAddress is { } address ? $"{address}:{context.Connection.RemotePort}" : "socket";
        if (context.Request.Headers.Authorization.ToString() is { Length: > 0 } authorization)
        {
            if (tokens is not null && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && tokens.Find(authorization[Bearer.Length..].Trim()) is { } owner)
                return new Caller(owner.Name, owner.Role, "token", from);
            why = "the token is not known here";
            return null;
        }
        if (context.Connection.ClientCertificate is { } certificate)
        {
            // Asked at every call: a connection may outlive its certificate.
            if (certificates is null) why = "certificates are not asked for here";
            else if (certificates.Identify(certificate, out why) is { } subject) return OfCertificate(context, subject, from, out why);
            return null;
        }
        if (PeerUser(context) is { } user)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"uid={user}");
            if (user == 0 || user == OwnUser) return new Caller(name, Role.Admin, "socket", from);
            why = $"{name} needs a token here; only root and the user that the daemon runs as go without";
            return null;
        }
        why = "there is neither a client certificate nor a token";
        return null;
    }

    /// <summary>A node calls on behalf of somebody whom it has identified, and never for itself; nobody else does.</summary>
    private static Caller? OfCertificate(HttpContext context, (string Name, Role Role, bool IsNode) subject, string from, out string why)
    {
        why = "";
        if (!subject.IsNode)
        {
            if (!OnBehalf.IsSaid(context.Request.Headers)) return new Caller(subject.Name, subject.Role, "certificate", from);
            why = $"the certificate of {subject.Name} is no node's, and only nodes call on somebody's behalf";
            return null;
        }
        if (OnBehalf.Read(context.Request.Headers) is { } caller) return caller with { Via = subject.Name };
        why = $"the certificate is the node {subject.Name}'s, and nodes call on somebody's behalf; this call does not say on whose";
        return null;
    }

    /// <summary>The user at the other end of a Unix socket, as the kernel knows it; null for any other connection.</summary>
    private static uint? PeerUser(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { AddressFamily: AddressFamily.Unix } socket) return null;
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length
            ? MemoryMarshal.Read<uint>(credentials[4..])
            : null;
    }

    private static uint ReadOwnUser()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal));
        return uint.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
    }
}
