using CsCheck;
using FwCluster.Node.Metrics;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>The sum of counters whose owners come and go.</summary>
public sealed class GrowingSumTests
{
    [Fact]
    public void WhatHasGoneOrBegunAnewStaysInTheSum()
    {
        var sum = new GrowingSum(2);
        Assert.Equal([0ul, 0], Take(sum));
        Assert.Equal([11ul, 22], Take(sum, (1, 1, 2), (2, 10, 20)));
        Assert.Equal([13ul, 22], Take(sum, (1, 3, 2), (2, 10, 20)));
        Assert.Equal([13ul, 22], Take(sum, (2, 10, 20))); // 1 has gone
        Assert.Equal([18ul, 22], Take(sum, (1, 5, 0), (2, 10, 20))); // and is back, from 0
        Assert.Equal([19ul, 31], Take(sum, (1, 5, 0), (2, 1, 9))); // 2 went and came between two looks
        Assert.Equal([19ul, 31], Take(sum));
        Assert.Equal([19ul, 31], Take(sum));
    }

    /// <summary>Whatever owners do between two looks: nothing is lost that was seen, and the sum never falls.</summary>
    [Fact]
    public void TheSumIsWhatWasCountedAsFarAsItWasSeen()
    {
        // Between two looks each of three owners counts a little, or is away, or is another one that begins at 0.
        var deed = Gen.Select(Gen.Int[0, 3], Gen.ULong[1, 5], Gen.ULong[0, 5]);
        deed.Array[3].Array[0, 30].Sample(looks =>
        {
            var sum = new GrowingSum(2);
            var counted = new (ulong A, ulong B)[3];
            var expected = (A: 0ul, B: 0ul);
            foreach (var look in looks)
            {
                var here = new List<(int, ulong, ulong)>();
                for (var owner = 0; owner < look.Length; owner++)
                {
                    var (what, a, b) = look[owner];
                    // A new one that has counted as much as the one before cannot be told from it; this one has not.
                    if (what is 2 or 3) counted[owner] = default;
                    if (what == 2) continue;
                    if (what == 3) (a, b) = (0, 0);
                    counted[owner] = (counted[owner].A + a, counted[owner].B + b);
                    expected = (expected.A + a, expected.B + b);
                    here.Add((owner, counted[owner].A, counted[owner].B));
                }
                Assert.Equal([expected.A, expected.B], Take(sum, [.. here]));
            }
        });
    }

    private static ulong[] Take(GrowingSum sum, params (int Owner, ulong A, ulong B)[] owners)
        => sum.Take(owners.Select(o => KeyValuePair.Create(o.Owner, (ulong[])[o.A, o.B])));
}
