using System.Globalization;
using System.Net.Sockets;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.State;

/// <summary>
/// <c>fwclusterd --drain SECONDS</c>: tells the daemon of the same configuration that it is to be stopped, and gives routers so much time to lead the
/// traffic elsewhere. The daemon goes on deciding, and is not ready any more for whoever asks.
/// </summary>
internal static class DrainCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Tells it, and waits.</summary>
    /// <returns>The program's exit code.</returns>
    /// <exception cref="SettingsException">There is no state socket in the configuration.</exception>
    public static async Task<int> RunAsync(NodeSettings settings, int seconds, CancellationToken cancellation)
    {
        var path = settings.StateSocket ?? throw new SettingsException("state.socket is empty: --drain asks the daemon there");
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await client.PostAsync(new Uri("http://localhost/drain"), null, cancellation).ConfigureAwait(false);
            answer.EnsureSuccessStatusCode();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"fwclusterd: nobody answers at {path}: {e.Message}").ConfigureAwait(false);
            return ExitCode.Failed;
        }
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellation).ConfigureAwait(false);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"not ready for {seconds} s; it can be stopped"));
        return ExitCode.Stopped;
    }
}
