using Akka.Dispatch;

namespace FwCluster.Cluster.Links;

/// <summary>
/// What one thread does with what it has just got: it says what there is to say into links and mailboxes, and at the end runs the shards that have got
/// something, one after another, and sends what was said. So what comes in one piece leaves in one, and a question wakes one thread on each node
/// that it meets: whoever has read it also runs the shard and sends the answer.
/// </summary>
internal sealed class Turn
{
    [ThreadStatic]
    private static Turn? _ofThread;

    private readonly Queue<IRunnable> _runs = new();
    private readonly List<Link> _written = [];
    private bool _isOpen;

    /// <summary>Begins this thread's turn; one that is open already goes on.</summary>
    /// <returns>Ends the turn when it is disposed.</returns>
    public static Ending Begin()
    {
        var turn = _ofThread ??= new Turn();
        if (turn._isOpen) return default;
        turn._isOpen = true;
        return new Ending(turn);
    }

    /// <summary>Leaves something to be run at the end of this thread's turn; false where there is none.</summary>
    public static bool TryAdd(IRunnable run)
    {
        if (_ofThread is not { _isOpen: true } turn) return false;
        turn._runs.Enqueue(run);
        return true;
    }

    /// <summary>Leaves a link to be sent at the end of this thread's turn; false where there is none.</summary>
    public static bool TryAdd(Link link)
    {
        if (_ofThread is not { _isOpen: true } turn) return false;
        if (!turn._written.Contains(link)) turn._written.Add(link);
        return true;
    }

    private void End()
    {
        try
        {
            Send(); // the others work meanwhile
            while (_runs.TryDequeue(out var run)) run.Run();
            Send();
        }
        finally
        {
            _isOpen = false;
        }
    }

    private void Send()
    {
        foreach (var link in _written) link.Send();
        _written.Clear();
    }

    /// <summary>The end of a turn.</summary>
    /// <param name="turn">The turn; null where it is another one's to end.</param>
    public readonly ref struct Ending(Turn? turn)
    {
        /// <summary>Ends it.</summary>
        public void Dispose() => turn?.End();
    }
}
