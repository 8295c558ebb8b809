using System.Globalization;
using System.Text;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>An FTP control connection with transfers in all modes, some announced wrongly, and the data connections that follow or
/// do not.</summary>
internal sealed class FtpDialogue(Scene scene)
{
    private const int ClientHost = 0;
    private const int ServerHost = 1;
    private readonly TcpConversation _control = new(scene, scene.Between(ClientHost, ServerHost), scene.FreshPort(), 21, oddity: 40);

    private Random Random => scene.Random;

    public IEnumerable<byte[]> Play()
    {
        foreach (var packet in scene.Once(6) ? _control.Open() : _control.Handshake(odd: scene.Once(4))) yield return packet;
        if (!scene.Once(8))
        {
            foreach (var packet in Server("220 ready\r\n")) yield return packet;
        }
        if (!scene.Once(3))
        {
            foreach (var packet in Client("USER anonymous\r\n")) yield return packet;
            foreach (var packet in Server(scene.Once(4) ? "331-more\r\n331 name ok\r\n" : "331 name ok\r\n")) yield return packet;
        }

        for (var transfers = Random.Next(1, 4); transfers > 0; transfers--)
        {
            var active = scene.Once(2);
            var ordinary = scene.Family == IpFamily.IPv4 ? !scene.Once(3) : scene.Once(6);
            var announced = scene.Once(10) ? Random.Next(65536) : scene.Once(20) ? 0 : scene.Once(6) ? scene.Announced : scene.FreshPort() + 30000;
            scene.Announced = announced;
            var host = scene.Once(8) ? Random.Next(4) : active ? ClientHost : ServerHost;
            var said = Announce(active, ordinary, host, announced);
            if (active)
            {
                foreach (var packet in Client(said)) yield return packet;
                if (!scene.Once(5))
                {
                    foreach (var packet in Server("200 ok\r\n")) yield return packet;
                }
            }
            else
            {
                foreach (var packet in Client(ordinary ? "PASV\r\n" : "EPSV\r\n")) yield return packet;
                foreach (var packet in Server(said)) yield return packet;
            }
            if (scene.Once(10))
            {
                foreach (var packet in _control.AbortAndOpenAgain()) yield return packet;
            }
            foreach (var packet in Transfer(active, host, (ushort)announced)) yield return packet;
            if (scene.Once(4))
            {
                foreach (var packet in _control.Step()) yield return packet;
            }
        }
        if (scene.Once(3))
        {
            foreach (var packet in _control.Step()) yield return packet;
        }
    }

    private IEnumerable<byte[]> Client(string text) => _control.Say(_control.Client, Encoding.ASCII.GetBytes(text));

    private IEnumerable<byte[]> Server(string text) => _control.Say(_control.Server, Encoding.ASCII.GetBytes(text));

    private string Announce(bool active, bool ordinary, int host, int port)
    {
        var address = scene.Host(host).ToString(scene.Family);
        // Only IPv4 addresses have an ordinary form; a confused IPv6 peer may send one all the same.
        var numbers = scene.Family == IpFamily.IPv4 ? address.Replace('.', ',') : "10,0,0,1";
        var ports = string.Create(CultureInfo.InvariantCulture, $"{port >> 8},{port & 255}");
        var family = scene.Once(15) ? Random.Next(4) : scene.Family == IpFamily.IPv4 ? 1 : 2;
        var delimiter = scene.Once(8) ? scene.Pick('!', '#', '1', ' ') : '|';
        var text = (active, ordinary) switch
        {
            (true, true) => $"PORT {numbers},{ports}",
            (true, false) => string.Create(CultureInfo.InvariantCulture, $"EPRT {delimiter}{family}{delimiter}{address}{delimiter}{port}{delimiter}"),
            (false, true) => scene.Pick($"227 Entering Passive Mode ({numbers},{ports})", $"227 Entering Passive Mode ({numbers},{ports}).",
                $"227 {numbers},{ports}", $"227 =({numbers},{ports})"),
            (false, false) => string.Create(CultureInfo.InvariantCulture, $"229 Entering Extended Passive Mode ({delimiter}{delimiter}{delimiter}{port}{delimiter})"),
        };
        if (scene.Once(8)) text = text.ToLowerInvariant();
        if (scene.Once(10)) text = Spoil(text);
        if (scene.Once(20)) text = scene.Pick(" ", "x\n", "x\r\n", "\n", "\r\n", "x ") + text;
        return text + (scene.Once(10) ? scene.Pick("", "\n", "\r", " \r\n", "\0\r\n", "\r\nNOOP\r\n") : "\r\n");
    }

    private string Spoil(string text)
    {
        var letters = new StringBuilder(text);
        for (var times = Random.Next(1, 3); times > 0; times--)
        {
            var at = Random.Next(letters.Length);
            switch (Random.Next(3))
            {
                case 0:
                    letters[at] = (char)Random.Next(32, 127);
                    break;
                case 1:
                    letters.Insert(at, (char)Random.Next(48, 58));
                    break;
                default:
                    letters.Remove(at, 1);
                    if (letters.Length == 0) letters.Append('X');
                    break;
            }
        }
        return letters.ToString();
    }

    private IEnumerable<byte[]> Transfer(bool active, int host, ushort port)
    {
        for (var times = scene.Pick(0, 1, 1, 1, 1, 2); times > 0; times--)
        {
            var source = active ? ServerHost : ClientHost;
            if (scene.Once(10)) source = Random.Next(4);
            if (scene.Once(12)) port++;
            if (scene.Once(8)) host = active ? ClientHost : ServerHost;
            var from = active && !scene.Once(4) ? (ushort)20 : scene.FreshPort();
            var data = new TcpConversation(scene, scene.Between(source, host), from, port, oddity: 30);
            foreach (var packet in scene.Once(6) ? data.Open() : data.Handshake(odd: scene.Once(3))) yield return packet;
            for (var steps = Random.Next(3); steps > 0; steps--)
            {
                foreach (var packet in data.Step()) yield return packet;
            }
            // A first packet of another protocol to the announced port is not what was announced.
            if (scene.Once(30)) yield return PacketBuilder.Udp(scene.Between(source, host), from, port);
        }
    }
}
