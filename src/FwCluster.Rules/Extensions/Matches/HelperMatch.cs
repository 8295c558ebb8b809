using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m helper</c>: connections that a helper expected (<c>helper_mt</c> in xt_helper.c). Empty for any helper; a name that goes on
/// behind the helper's (<c>ftp-2121</c>) means that helper.</summary>
/// <param name="helper">The helper's name.</param>
/// <param name="isInverted">True for <c>!</c>.</param>
public sealed class HelperMatch(string helper, bool isInverted) : Match
{
    /// <summary>The helper's name.</summary>
    public string Helper { get; } = helper;

    /// <summary>True for <c>!</c>.</summary>
    public bool IsInverted { get; } = isInverted;

    /// <inheritdoc/>
    public override string Name => "helper";

    /// <inheritdoc/>
    public override bool ReadsConnection => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        if (PacketConnection.Kind(in packet) != PacketConnectionKind.Entry) return IsInverted;
        ref readonly var connection = ref packet.Connection;
        if (connection.MasterHelper == 0) return IsInverted;
        var expected = packet.Connections.Helpers[connection.MasterHelper - 1].Name;
        return Helper.StartsWith(expected, StringComparison.Ordinal) || Helper.Length == 0 ? !IsInverted : IsInverted;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"helper match {(IsInverted ? "! " : "")}\"{Helper}\"");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Option("--helper", IsInverted).String(Helper);
}

/// <summary>The language of <c>-m helper</c> (libxt_helper.c).</summary>
public sealed class HelperMatchExtension : MatchExtension
{
    private const int MaxName = 29;

    /// <inheritdoc/>
    public override string Name => "helper";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("helper") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("helper") is { } use ? new HelperMatch(options.Text(use.Word, 0, MaxName), use.IsInverted) : null;
}
