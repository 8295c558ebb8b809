namespace FwCluster.Rules.Evaluation;

/// <summary>
/// What the matches of one compiled ruleset remember between packets. Each compiled ruleset has its own, so that two of them, say on two
/// threads, share nothing; within one, matches that name the same table (<c>-m recent --name</c>, <c>-m hashlimit --hashlimit-name</c>)
/// share it, as in the kernel.
/// </summary>
/// <param name="seed">Where <see cref="Random"/> begins.</param>
public sealed class MatchMemory(int seed)
{
    private readonly Dictionary<(Type, string), object> _tables = [];

    /// <summary>Chance for <c>-m statistic --mode random</c>: the same seed gives the same packets.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>The table of this type and name, made when first asked for. At compile time only.</summary>
    public T Table<T>(string name, Func<T> make)
        where T : class
    {
        if (_tables.TryGetValue((typeof(T), name), out var known)) return (T)known;
        var table = make();
        _tables.Add((typeof(T), name), table);
        return table;
    }
}
