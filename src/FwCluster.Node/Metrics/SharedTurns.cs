namespace FwCluster.Node.Metrics;

/// <summary>
/// Something that several want done again and again, one turn at a time. Who asks gets a turn that begins after he asked, so that it sees all that
/// was before; those who ask while a turn runs share the one after it.
/// </summary>
/// <param name="turn">Does it once; does not fail.</param>
internal sealed class SharedTurns(Func<Task> turn)
{
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private Task? _next;

    /// <summary>Completes with the end of a turn that has not begun yet. Any thread.</summary>
    public Task Next()
    {
        lock (_lock) return _next ??= TakeTurnAsync(_running);
    }

    private async Task TakeTurnAsync(Task before)
    {
        await Task.Yield(); // not under the lock
        await before.ConfigureAwait(false);
        lock (_lock) (_running, _next) = (_next!, null);
        await turn().ConfigureAwait(false);
    }
}
