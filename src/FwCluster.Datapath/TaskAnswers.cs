namespace FwCluster.Datapath;

/// <summary>How a thread that owns something answers those who asked something of it.</summary>
public static class TaskAnswers
{
    /// <summary>Works an answer out, on the thread that calls. What goes wrong is the asker's: the thread that answers goes on.</summary>
    /// <typeparam name="T">The answer's type.</typeparam>
    /// <param name="answer">What the asker waits for. Stays as it is where it is complete.</param>
    /// <param name="question">Gives the answer.</param>
    public static void Answer<T>(this TaskCompletionSource<T> answer, Func<T> question)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(question);
        try
        {
            answer.TrySetResult(question());
        }
#pragma warning disable CA1031 // told to whoever asked
        catch (Exception e)
#pragma warning restore CA1031
        {
            answer.TrySetException(e);
        }
    }
}
