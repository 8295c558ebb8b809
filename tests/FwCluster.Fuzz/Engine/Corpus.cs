namespace FwCluster.Fuzz.Engine;

/// <summary>The inputs that each brought something new, newer ones picked more often.</summary>
internal sealed class Corpus(Random random)
{
    private readonly List<byte[]> _inputs = [];

    public int Count => _inputs.Count;

    public IReadOnlyList<byte[]> Inputs => _inputs;

    public void Add(ReadOnlySpan<byte> input) => _inputs.Add(input.ToArray());

    /// <summary>An input to change.</summary>
    public byte[] Pick()
    {
        if (_inputs.Count == 0) return [];
        var newest = Math.Max(1, _inputs.Count / 4);
        return random.Next(2) == 0 ? _inputs[^(1 + random.Next(newest))] : _inputs[random.Next(_inputs.Count)];
    }
}
