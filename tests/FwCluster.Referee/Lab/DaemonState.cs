using System.Globalization;
using System.Net.Sockets;

namespace FwCluster.Referee.Lab;

/// <summary>Asks a daemon by the Unix socket of its state.</summary>
public sealed class DaemonState : IDisposable
{
    private readonly string _socket;
    private readonly HttpClient _client;

    /// <param name="socket">The socket's path; it need not be there yet.</param>
    /// <param name="patience">How long an answer may take.</param>
    public DaemonState(string socket, TimeSpan patience)
    {
        _socket = socket;
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost/"), Timeout = patience };
    }

    /// <summary>True once packets are decided.</summary>
    public bool IsReady()
    {
        if (!File.Exists(_socket)) return false;
        try
        {
            using var answer = _client.Send(new HttpRequestMessage(HttpMethod.Get, "readyz"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // The socket is there before anybody listens.
            return false;
        }
    }

    /// <summary>What it answers.</summary>
    public string Get(string what) => Ask(HttpMethod.Get, what);

    /// <summary>Has it do something.</summary>
    public string Post(string what) => Ask(HttpMethod.Post, what);

    /// <summary>A number of its statistics, such as <c>early_drop</c>.</summary>
    public long Statistic(string name)
    {
        foreach (var word in Get("statistics").Split([' ', '\n']))
        {
            if (word.StartsWith(name + "=", StringComparison.Ordinal)) return long.Parse(word.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
        }
        throw new InvalidDataException($"no {name} in the statistics");
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private string Ask(HttpMethod method, string what)
    {
        using var answer = _client.Send(new HttpRequestMessage(method, what));
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(answer.Content.ReadAsStream());
        return reader.ReadToEnd();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), stop);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
