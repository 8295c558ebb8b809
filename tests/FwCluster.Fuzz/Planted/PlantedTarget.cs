using System.Text;
using FwCluster.Fuzz.Engine;

namespace FwCluster.Fuzz.Planted;

/// <summary>
/// Faults that fuzzing must find, or it finds nothing at all: behind a word of which each letter is a branch of its own, so that
/// blind chance would need hours and coverage needs a second.
/// </summary>
/// <param name="word">The word, of four letters.</param>
/// <param name="fault">What happens behind it.</param>
internal sealed class PlantedTarget(string word, Action fault) : FuzzTarget
{
    /// <summary>One of each kind.</summary>
    public static readonly FuzzTarget[] All =
    [
        new PlantedTarget("toss", static () => throw new InvalidOperationException("planted")),
        new PlantedTarget("hang", static () => Thread.Sleep(Timeout.Infinite)),
        new PlantedTarget("dive", static () => Dive(0)),
        new PlantedTarget("hold", Hoard),
        new PlantedTarget("fill", Waste),
    ];

    private static readonly List<byte[]> Kept = [];

    /// <inheritdoc/>
    public override string Name => "planted-" + word;

    /// <inheritdoc/>
    public override string Description => $"a fault behind the word {word}";

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds => [Encoding.ASCII.GetBytes("seed")];

    /// <inheritdoc/>
    public override int MaxInputBytes => 16;

    /// <inheritdoc/>
    public override long MaxAllocatedBytes => fault == Hoard ? long.MaxValue : 1 << 20;

    /// <inheritdoc/>
    public override TimeSpan MaxTime => TimeSpan.FromSeconds(fault == Hoard ? 30 : 1);

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        // A branch for each letter: a loop would be one edge, and no guide.
        if (input.Length < 4 || input[0] != word[0]) return;
        if (input[1] != word[1]) return;
        if (input[2] != word[2]) return;
        if (input[3] != word[3]) return;
        fault();
    }

    private static int Dive(int depth) => depth < 0 ? 0 : 1 + Dive(depth + 1);

    private static void Hoard()
    {
        while (true) Kept.Add(new byte[1 << 20]);
    }

    private static void Waste()
    {
        for (var i = 0; i < 1000; i++) _ = new byte[1 << 16];
    }
}
