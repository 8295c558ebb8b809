using System.Runtime.CompilerServices;
using FwCluster.Conntrack;
using Connection = FwCluster.Api.V1.Connection;
using Entry = FwCluster.Conntrack.Connection;

namespace FwCluster.Control.Nodes;

/// <summary>
/// Goes through a table from outside. Each question looks at a bounded part of it, and packets go on between two: however large the
/// table is, none waits longer than for one part, and the memory that is taken is a page's.
/// </summary>
internal sealed class TableReader(ITableAccess access, ConnectionMessages messages)
{
    /// <summary>Slots that one question looks at.</summary>
    private const int SlotsAtATime = 8192;

    /// <summary>Entries that one question copies: 400 KB, some tens of microseconds.</summary>
    private const int EntriesAtATime = 2048;

    /// <summary>Connections of a page: some tens of kilobytes as a message.</summary>
    private const int PageSize = 256;

    /// <summary>Connections that match, page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<Connection>> ListAsync(ConnectionMatcher matcher, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var copies = new Entry[EntriesAtATime];
        var page = new List<Connection>(PageSize);
        for (var from = 0; from >= 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            var start = from;
            int count;
            long now;
            try
            {
                (from, count, now) = await access.Ask((table, time) => Copy(table, start, time, matcher, copies)).ConfigureAwait(false);
            }
            catch (TableGoneException)
            {
                break; // what is left of it is listed where it is now
            }
            for (var i = 0; i < count; i++)
            {
                page.Add(messages.Connection(in copies[i], now));
                if (page.Count < PageSize) continue;
                yield return page;
                page.Clear();
            }
        }
        if (page.Count > 0) yield return page;
    }

    /// <summary>How many connections match.</summary>
    public Task<ulong> CountAsync(ConnectionMatcher matcher, CancellationToken cancellation) => SumAsync(matcher, remove: false, cancellation);

    /// <summary>Removes the connections that match; how many they were.</summary>
    public Task<ulong> DeleteAsync(ConnectionMatcher matcher, CancellationToken cancellation) => SumAsync(matcher, remove: true, cancellation);

    private (int Next, int Count, long Now) Copy(ConnectionTable table, int from, long now, ConnectionMatcher matcher, Entry[] into)
    {
        var end = Math.Min(table.Slots, from + SlotsAtATime);
        var count = 0;
        var index = from;
        for (; index < end && count < into.Length; index++)
            if (IsMeant(table, index, now, matcher))
                into[count++] = table[index];
        return (index < table.Slots ? index : -1, count, now);
    }

    private bool IsMeant(ConnectionTable table, int index, long now, ConnectionMatcher matcher)
        => table.IsLiving(index, now) && access.KnowsBest(in table[index]) && matcher.Matches(in table[index], table);

    private async Task<ulong> SumAsync(ConnectionMatcher matcher, bool remove, CancellationToken cancellation)
    {
        var sum = 0UL;
        for (var from = 0; from >= 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            var start = from;
            try
            {
                (from, var count) = await access.Ask((table, now) => Sum(table, start, now, matcher, remove)).ConfigureAwait(false);
                sum += (uint)count;
            }
            catch (TableGoneException)
            {
                break;
            }
        }
        return sum;
    }

    private (int Next, int Count) Sum(ConnectionTable table, int from, long now, ConnectionMatcher matcher, bool remove)
    {
        // Removing costs more than looking.
        var end = Math.Min(table.Slots, from + (remove ? SlotsAtATime / 8 : SlotsAtATime));
        var count = 0;
        for (var index = from; index < end; index++)
        {
            if (!IsMeant(table, index, now, matcher)) continue;
            if (remove) table.Remove(index);
            count++;
        }
        return (end < table.Slots ? end : -1, count);
    }
}
