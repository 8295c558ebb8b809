using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Sets;

namespace FwCluster.Rules.Text;

/// <summary>What rules refer to and the reader must know to check them.</summary>
public sealed record ReaderSettings
{
    /// <summary>Defaults: the helpers that this product has.</summary>
    public static ReaderSettings Default { get; } = new();

    /// <summary>Connection helpers that <c>-j CT --helper</c> may name, and the protocol each reads.</summary>
    public ImmutableArray<(string Name, byte Protocol)> Helpers { get; init; } = [("ftp", IpProtocol.Tcp), ("tftp", IpProtocol.Udp)];

    /// <summary>What <c>-m time --kerneltz</c> means: how far the kernel's time zone (<c>settimeofday</c>) is ahead of UTC.</summary>
    public TimeSpan KernelTimeZone { get; init; }

    /// <summary>Sets that <c>-m set</c> may name.</summary>
    public SetCollection Sets { get; init; } = SetCollection.Empty;
}
