using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m tcpmss</c> (libxt_tcpmss.c).</summary>
public sealed class TcpMssMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "tcpmss";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Protocols = [IpProtocol.Tcp] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("mss") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("mss") is not { } use) return null;
        var sizes = NumberRange.Read(options, use.Word, ushort.MaxValue);
        if (sizes.High < sizes.Low) options.Error(use.Word, $"tcpmss: the range \"{use.Word}\" begins after its end", $"write {sizes.High}:{sizes.Low}");
        return new TcpMssMatch(sizes, use.IsInverted);
    }
}
