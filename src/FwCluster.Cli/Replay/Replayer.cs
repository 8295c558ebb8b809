using System.Text;
using FwCluster.Capture.Files;
using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Cli.Replay;

/// <summary>Takes a capture's packets through a worker, one after the other, and tells each of them to who wants to know.</summary>
internal sealed class Replayer : IDisposable
{
    private const int ReportEvery = 4096;

    private readonly ReplayOptions _options;
    private readonly CaptureFileReader _reader;
    private readonly CaptureAnnotator? _annotator;
    private readonly HashSet<LinkType> _unknownLinks = [];
    private readonly byte[] _comment = new byte[512];

    /// <summary>Makes everything ready.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="reader">The capture, not yet read from.</param>
    /// <param name="ipv4">The IPv4 rules.</param>
    /// <param name="ipv6">The IPv6 rules.</param>
    /// <exception cref="FwctlException">The annotated capture cannot be made.</exception>
    public Replayer(ReplayOptions options, CaptureFileReader reader, CompiledRuleset ipv4, CompiledRuleset ipv6)
    {
        _options = options;
        _reader = reader;
        IPv4 = ActiveRuleset.From(ipv4, options.KeepCounters);
        IPv6 = ActiveRuleset.From(ipv6, options.KeepCounters);
        (Names4, Names6) = (new ChainNames(ipv4), new ChainNames(ipv6));
        Host = new HostAddresses(options.Local);
        Worker = new PacketWorker(IPv4, IPv6, new ConnectionTable(options.Settings, options.Helpers), Host);
        if (options.Annotate is { } path) _annotator = Annotate(path);
    }

    /// <summary>The IPv4 rules with what they counted.</summary>
    public ActiveRuleset IPv4 { get; }

    /// <summary>The IPv6 rules with what they counted.</summary>
    public ActiveRuleset IPv6 { get; }

    /// <summary>Names of the IPv4 chains.</summary>
    public ChainNames Names4 { get; }

    /// <summary>Names of the IPv6 chains.</summary>
    public ChainNames Names6 { get; }

    /// <summary>The host's addresses.</summary>
    public HostAddresses Host { get; }

    /// <summary>The worker, with connections and statistics.</summary>
    public PacketWorker Worker { get; }

    /// <summary>Where the capture broke off; null where it did not.</summary>
    public CaptureBreak? Break => _reader.Break;

    /// <summary>Packets read.</summary>
    public long PacketCount => _reader.PacketCount;

    /// <summary>Link types that came up and are not read: their packets count as not IP.</summary>
    public IReadOnlyCollection<LinkType> UnknownLinks => _unknownLinks;

    /// <summary>True where Ctrl-C ended it.</summary>
    public bool WasInterrupted { get; private set; }

    /// <summary>Replays the capture to its end, or to where it breaks.</summary>
    /// <param name="lines">Who prints each packet; null for nobody.</param>
    /// <param name="progress">Is told the bytes read so far, now and then; null for nobody.</param>
    /// <param name="interruption">Ctrl-C.</param>
    public void Run(IPacketPrinter? lines, Action<long>? progress, Interruption interruption)
    {
        while (_reader.TryRead(out var packet))
        {
            var outcome = Worker.Process(new PacketInput
            {
                Link = packet.Interface.Link,
                Frame = packet.Data,
                WireLength = (int)Math.Min(packet.WireLength, int.MaxValue),
                Time = packet.Timestamp,
                In = _options.InInterface,
                Out = _options.OutInterface,
            });
            if (outcome.Fate == PacketFate.NotIp && !LinkLayer.IsSupported(packet.Interface.Link)) _unknownLinks.Add(packet.Interface.Link);
            if (lines is not null || _annotator is not null) Tell(in packet, in outcome, lines);
            if (packet.Number % ReportEvery == 0) progress?.Invoke(_reader.Position);
            if (interruption.IsAsked) break;
        }
        WasInterrupted = interruption.IsAsked;
        _annotator?.Commit();
    }

    /// <inheritdoc/>
    public void Dispose() => _annotator?.Dispose();

    private void Tell(in CapturedPacket packet, in PacketOutcome outcome, IPacketPrinter? lines)
    {
        var verdict = PacketVerdict.Of(in outcome, Names4, Names6);
        lines?.Print(in packet, in outcome, in verdict);
        if (_annotator is null) return;
        var comment = $"state={verdict.State} verdict={verdict.Verdict} chain={verdict.Chain} rule={verdict.Rule}";
        _annotator.Annotate(in packet, _comment.AsSpan(0, Encoding.UTF8.GetBytes(comment, _comment)));
    }

    private CaptureAnnotator Annotate(string path)
    {
        if (_options.Capture != "-" && RealPath.Of(path) == RealPath.Of(_options.Capture))
            throw new FwctlException($"--annotate {path} is the capture itself, which is never overwritten; name another file");
        try
        {
            return CaptureAnnotator.Attach(_reader, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FwctlException(FileMessage.For("cannot write", path, e), e);
        }
    }
}

/// <summary>Prints each packet.</summary>
internal interface IPacketPrinter
{
    /// <summary>Prints one packet.</summary>
    void Print(in CapturedPacket packet, in PacketOutcome outcome, in PacketVerdict verdict);
}
