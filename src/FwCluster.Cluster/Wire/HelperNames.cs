using System.Text;
using FwCluster.Conntrack.Helpers;

namespace FwCluster.Cluster.Wire;

/// <summary>Helpers by name: their numbers are one node's own.</summary>
internal sealed class HelperNames(IEnumerable<ConnectionHelper> helpers)
{
    private readonly byte[][] _names = [.. helpers.Select(helper => Encoding.UTF8.GetBytes(helper.Name))];

    /// <summary>The name of a helper.</summary>
    /// <param name="number">Its number in the table's list, plus one; 0 for none.</param>
    /// <returns>In UTF-8; empty for none.</returns>
    public ReadOnlySpan<byte> Of(byte number) => number > 0 && number <= _names.Length ? _names[number - 1] : default;

    /// <summary>The number of a helper, plus one; 0 where it is not known here: the connection goes on without.</summary>
    public byte Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return 0;
        for (var i = 0; i < _names.Length; i++)
        {
            if (name.SequenceEqual(_names[i])) return (byte)(i + 1);
        }
        return 0;
    }
}
