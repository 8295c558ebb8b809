using FwCluster.Conntrack;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>A set of packet states, one bit each (<c>XT_CONNTRACK_STATE_*</c>).</summary>
/// <param name="Bits">Bit n for the state numbered n; bits 6 and 7 for SNAT and DNAT, which nothing has here.</param>
public readonly record struct StateSet(byte Bits)
{
    // In the order in which iptables-save prints them (print_state in libxt_conntrack.c).
    private static readonly (string Name, int Bit)[] Printed =
    [
        ("INVALID", (int)ConntrackState.Invalid), ("NEW", (int)ConntrackState.New), ("RELATED", (int)ConntrackState.Related),
        ("ESTABLISHED", (int)ConntrackState.Established), ("UNTRACKED", (int)ConntrackState.Untracked), ("SNAT", 6), ("DNAT", 7),
    ];

    // In the order in which iptables tries them: it takes a beginning for the whole, so "N" is NEW.
    private static readonly string[] Tried = ["INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED", "SNAT", "DNAT"];

    /// <summary>Is the state in it? What tracking has not seen counts as INVALID, as in <c>conntrack_mt</c>.</summary>
    public bool Contains(ConntrackState state)
        => (Bits >> (state == ConntrackState.None ? (int)ConntrackState.Invalid : (int)state) & 1) != 0;

    /// <summary>Tells a classifier which states are in it, or (<paramref name="isInverted"/>) not.</summary>
    public void Constrain(RuleConstraints constraints, bool isInverted)
    {
        var bits = isInverted ? (byte)~Bits : Bits;
        // What tracking has not seen is INVALID, UNTRACKED or NEW, as a template says (PacketConnection.State).
        const int Unseen = 1 << (int)ConntrackState.Invalid | 1 << (int)ConntrackState.Untracked | 1 << (int)ConntrackState.New;
        constraints.RestrictState(
            [.. Enum.GetValues<ConntrackState>().Where(s => s == ConntrackState.None ? (bits & Unseen) != 0 : (bits >> (int)s & 1) != 0)]);
    }

    /// <summary>The names, comma-separated, as <c>iptables-save</c> prints them.</summary>
    public string Names
    {
        get
        {
            var bits = Bits;
            return string.Join(',', Printed.Where(p => (bits >> p.Bit & 1) != 0).Select(p => p.Name));
        }
    }

    /// <summary>Reads a list of states.</summary>
    /// <param name="options">Where mistakes go.</param>
    /// <param name="word">The list.</param>
    /// <param name="withTranslation">SNAT and DNAT are states too (<c>--ctstate</c>).</param>
    public static StateSet Read(ExtensionOptions options, Token word, bool withTranslation)
    {
        byte bits = 0;
        foreach (var part in ExtensionOptions.List(word))
        {
            var names = withTranslation ? Tried : Tried.AsSpan(0, 5);
            var name = "";
            foreach (var candidate in names)
            {
                if (part.Text.Length == 0 || !candidate.StartsWith(part.Text, StringComparison.OrdinalIgnoreCase)) continue;
                name = candidate;
                break;
            }
            if (name.Length == 0)
            {
                options.Error(part, $"{options.Name}: \"{part}\" is not a state",
                    "there are " + string.Join(", ", names.ToArray()) + ", separated by commas without spaces");
                continue;
            }
            bits |= (byte)(1 << Printed.First(p => p.Name == name).Bit);
        }
        return new(bits);
    }
}
