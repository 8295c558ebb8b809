using System.Globalization;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m time</c>: when the packet came (<c>time_mt</c> in xt_time.c).</summary>
public sealed class TimeMatch : Match
{
    /// <summary>Every day of a week: bit 1 for Monday to bit 7 for Sunday.</summary>
    public const byte AllWeekdays = 0xfe;

    /// <summary>Every day of a month: bit 1 to bit 31.</summary>
    public const uint AllMonthdays = 0xfffffffe;

    /// <summary>The last second of a day.</summary>
    public const uint LastSecond = SecondsPerDay - 1;

    private const uint SecondsPerDay = 86400;

    /// <summary>The first second that matches, since the Unix epoch.</summary>
    public uint DateStart { get; init; }

    /// <summary>The last one.</summary>
    public uint DateStop { get; init; } = int.MaxValue;

    /// <summary>The first second of a day that matches.</summary>
    public uint DayStart { get; init; }

    /// <summary>The last one; before <see cref="DayStart"/>: of the next day.</summary>
    public uint DayStop { get; init; } = LastSecond;

    /// <summary>Days of a month, by bit.</summary>
    public uint Monthdays { get; init; } = AllMonthdays;

    /// <summary>Days of a week, by bit.</summary>
    public byte Weekdays { get; init; } = AllWeekdays;

    /// <summary>What follows midnight belongs to the day before, where the time of day goes past it.</summary>
    public bool IsContiguous { get; init; }

    /// <summary>In the kernel's time zone and not UTC.</summary>
    public bool InKernelZone { get; init; }

    /// <summary>What the kernel's time zone is ahead of UTC, seconds; only with <see cref="InKernelZone"/>.</summary>
    public int ZoneSeconds { get; init; }

    /// <inheritdoc/>
    public override string Name => "time";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var stamp = packet.Now / 1_000_000_000 + (InKernelZone ? ZoneSeconds : 0);
        if (stamp < DateStart || stamp > DateStop) return false;
        var secondOfDay = (uint)(stamp % SecondsPerDay);
        if (DayStart < DayStop)
        {
            if (secondOfDay < DayStart || secondOfDay > DayStop) return false;
        }
        else
        {
            if (secondOfDay < DayStart && secondOfDay > DayStop) return false;
            if (IsContiguous && secondOfDay <= DayStop) stamp -= SecondsPerDay;
        }
        // 1970-01-01 was a Thursday.
        var day = stamp / SecondsPerDay;
        var weekday = (int)((3 + day) % 7) + 1;
        if ((Weekdays >> weekday & 1) == 0) return false;
        return Monthdays == AllMonthdays || (Monthdays >> DateTime.UnixEpoch.AddDays(day).Day & 1) != 0;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (DayStart != 0 || DayStop != LastSecond)
            writer.Word("--timestart").Word(TimeOfDay(DayStart)).Word("--timestop").Word(TimeOfDay(DayStop));
        if (Monthdays != AllMonthdays)
            writer.Word("--monthdays").Word(string.Join(',', DaysOfMonth));
        if (Weekdays != AllWeekdays)
            writer.Word("--weekdays").Word(WeekdayList);
        if (DateStart != 0) writer.Word("--datestart").Word(Date(DateStart, 'T'));
        // The end of 32-bit time, where nothing else was said, is printed too (time_print_date looks for another number).
        if (DateStop != 0) writer.Word("--datestop").Word(Date(DateStop, 'T'));
        if (InKernelZone) writer.Word("--kerneltz");
        if (IsContiguous) writer.Word("--contiguous");
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words("TIME");
        if (DayStart != 0 || DayStop != LastSecond) writer.Words($"from {TimeOfDay(DayStart)} to {TimeOfDay(DayStop)}");
        if (Weekdays != AllWeekdays) writer.Words("on " + WeekdayList);
        if (Monthdays != AllMonthdays) writer.Words("on " + string.Join(',', DaysOfMonth.Select(d => $"{d}{Ordinal(d)}")));
        if (DateStart != 0) writer.Words("starting from " + Date(DateStart, ' '));
        if (DateStop != int.MaxValue) writer.Words("until date" + (DateStop == 0 ? "" : " " + Date(DateStop, ' ')));
        if (!InKernelZone) writer.Words("UTC");
        if (IsContiguous) writer.Words("contiguous");
    }

    private IEnumerable<int> DaysOfMonth => Enumerable.Range(1, 31).Where(d => (Monthdays >> d & 1) != 0);

    private string WeekdayList
        => string.Join(',', Enumerable.Range(1, 7).Where(d => (Weekdays >> d & 1) != 0).Select(d => TimeMatchExtension.WeekdayNames[d - 1]));

    // The last digit alone decides, as in time_print_monthdays: 11st.
    private static string Ordinal(int day) => (day % 10) switch
    {
        1 => "st",
        2 => "nd",
        3 => "rd",
        _ => "th",
    };

    private static string TimeOfDay(uint second) => $"{second / 3600:00}:{second / 60 % 60:00}:{second % 60:00}";

    private static string Date(uint second, char separator)
        => DateTime.UnixEpoch.AddSeconds(second).ToString($"yyyy-MM-dd'{separator}'HH:mm:ss", CultureInfo.InvariantCulture);
}
