using System.Globalization;

namespace FwCluster.EndToEnd.Tests;

/// <summary>Reads what <c>iptables -L -v -n -x</c> prints.</summary>
internal static class RuleListing
{
    /// <summary>The sum over all rules and policies.</summary>
    public static (int Packets, long Bytes) Total(string listing)
    {
        var packets = 0;
        var bytes = 0L;
        foreach (var line in listing.Split('\n'))
        {
            var words = line.Split([' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries);
            var counted = words switch
            {
                ["Chain", _, "policy", _, var policyPackets, "packets,", var policyBytes, "bytes"] => (policyPackets, policyBytes),
                [var rulePackets, var ruleBytes, ..] when char.IsAsciiDigit(rulePackets[0]) => (rulePackets, ruleBytes),
                _ => ("0", "0"),
            };
            packets += int.Parse(counted.Item1, CultureInfo.InvariantCulture);
            bytes += long.Parse(counted.Item2, CultureInfo.InvariantCulture);
        }
        return (packets, bytes);
    }
}
