using FwCluster.Capture.Netlink;
using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>
/// The rules that send packets to the queues, in chains of their own, FWCLUSTER-INPUT, FWCLUSTER-FORWARD and FWCLUSTER-OUTPUT; for the
/// network namespace of the thread that installs them.
/// </summary>
/// <remarks>
/// <para>
/// <b>Each packet once.</b> The hooks are INPUT, FORWARD and OUTPUT, of which a packet meets one; but over the loopback interface it meets
/// OUTPUT and then INPUT, and is diverted at OUTPUT only. The jumps are the first rules of the security table's chains
/// (<see cref="DivertTable"/> says why).
/// </para>
/// <para>
/// <b>Closed.</b> When the process is killed, the rules stay, and a queue without a listener drops what it is given, but what is exempt. The
/// next start takes the rules over in one step. What removes them is <see cref="Remove()"/>, at a clean stop.
/// </para>
/// <para>
/// <b>Repair.</b> A thread puts back what somebody flushed or changed: at once where iptables-nft did, since nf_tables announces
/// changes; else within <see cref="DivertSettings.CheckInterval"/>.
/// </para>
/// <para>
/// <b>Fragments.</b> In a namespace where nothing uses connection tracking, the kernel hands over fragments one by one at FORWARD, and for
/// IPv6 at INPUT too; for IPv4 at INPUT, and at OUTPUT, packets are whole (ip_local_deliver puts together before the hook, ip6_input_finish
/// after it; a host cuts its packets behind OUTPUT). The rules therefore contain a match of the kind that has the kernel put fragments
/// together before all hooks, with its limits and timeouts, as its own tracking would; it cuts a forwarded packet into fragments of the
/// sizes that it had. So no fragment has to be held in a queue, where it would wait in the way of others, and ports and addresses in
/// rules mean every packet. Where the match is missing, <see cref="DivertSettings.Reassemble"/> leaves fragments as they come.
/// </para>
/// </remarks>
public sealed class DivertRules : IDisposable
{
    private static readonly TimeSpan WhenAnnounced = TimeSpan.FromMinutes(1);

    private readonly DivertSettings _settings;
    private readonly Action<string>? _report;
    private readonly List<FamilyRules> _families = [];
    private readonly RulesetNotifications _notifications = new();
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private volatile bool _stopping;
    private volatile string? _problem;
    private int _repairs;

    private DivertRules(DivertSettings settings, Action<string>? report)
    {
        _settings = settings;
        _report = report;
        try
        {
            foreach (var family in settings.Families.Distinct()) _families.Add(FamilyRules.Install(settings, family));
        }
        catch
        {
            _notifications.Dispose();
            throw;
        }
        _thread = new Thread(Watch) { IsBackground = true, Name = "divert rules" };
        _thread.Start();
    }

    /// <summary>How often something of the rules was missing or changed, and was put right.</summary>
    public int Repairs => Volatile.Read(ref _repairs);

    /// <summary>Why the last look or repair failed; null where it did not. It is tried again at the next look.</summary>
    public string? Problem => _problem;

    /// <summary>Puts the rules in place and watches them. Rules that an earlier run left are taken over. To lose no packet, the ports are opened
    /// before.</summary>
    /// <param name="settings">Which packets go where.</param>
    /// <param name="report">Told, in a sentence, of repairs and of failures to repair; by the thread that watches.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    /// <exception cref="DivertException">iptables is missing, may not, or the kernel lacks what a rule needs. What one family got before
    /// the other one failed stays: <see cref="Remove(IEnumerable{IpFamily})"/>.</exception>
    public static DivertRules Install(DivertSettings settings, Action<string>? report = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Check();
        return new DivertRules(settings, report);
    }

    /// <summary>Removes what a killed process left, of all settings and iptables variants.</summary>
    /// <exception cref="DivertException">iptables failed.</exception>
    public static void Remove(IEnumerable<IpFamily> families)
    {
        ArgumentNullException.ThrowIfNull(families);
        foreach (var family in families) FamilyRules.Remove(family);
    }

    /// <summary>Stops watching and removes the rules: the host's ruleset is then as it was. (With iptables-legacy, an empty table that the host
    /// did not use before remains: the kernel keeps it.) Called in the namespace of the rules.</summary>
    /// <exception cref="DivertException">iptables failed; the rules may be there still.</exception>
    public void Remove()
    {
        Dispose();
        foreach (var family in _families) family.Remove();
    }

    /// <summary>Stops watching; the rules stay, as if the process had been killed.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
        }
        _notifications.Wake();
        _thread.Join();
        _notifications.Dispose();
    }

    private void Watch()
    {
        while (!_stopping)
        {
            _notifications.Wait(Interval);
            if (!_stopping) Look();
        }
    }

    // What is announced need not be looked for, by two processes each time.
    private TimeSpan Interval => _problem is null && _notifications.AreAnnounced && _families.TrueForAll(family => family.IsNft) && _settings.CheckInterval < WhenAnnounced
        ? WhenAnnounced
        : _settings.CheckInterval;

    private void Look()
    {
        try
        {
            foreach (var family in _families)
            {
                if (!family.Repair()) continue;
                Interlocked.Increment(ref _repairs);
                _report?.Invoke("the divert rules were not as they should be, and are again");
            }
            _problem = null;
        }
        catch (Exception exception) when (exception is DivertException or NetlinkException)
        {
            if (_problem != exception.Message) _report?.Invoke($"the divert rules could not be checked or repaired: {exception.Message}");
            _problem = exception.Message;
        }
    }
}
