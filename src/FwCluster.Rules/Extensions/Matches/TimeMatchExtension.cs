using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m time</c> (libxt_time.c).</summary>
public sealed class TimeMatchExtension : MatchExtension
{
    /// <summary>Names of the days of a week, as they are written.</summary>
    internal static readonly string[] WeekdayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    /// <inheritdoc/>
    public override string Name => "time";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("datestart"), new("datestop"), new("timestart"), new("timestop"),
        new("contiguous", 0),
        new("weekdays") { Invertible = true },
        new("monthdays") { Invertible = true },
        new("utc", 0) { Excludes = ["kerneltz", "localtz"] },
        new("kerneltz", 0) { Excludes = ["utc"] },
        new("localtz", 0) { Excludes = ["utc"] },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        var match = new TimeMatch
        {
            DateStart = options.Find("datestart") is { } dateStart ? Date(options, dateStart.Word) : 0,
            DateStop = options.Find("datestop") is { } dateStop ? Date(options, dateStop.Word) : int.MaxValue,
            DayStart = options.Find("timestart") is { } dayStart ? TimeOfDay(options, dayStart.Word) : 0,
            DayStop = options.Find("timestop") is { } dayStop ? TimeOfDay(options, dayStop.Word) : TimeMatch.LastSecond,
            Monthdays = options.Find("monthdays") is { } monthdays ? Monthdays(options, monthdays) : TimeMatch.AllMonthdays,
            Weekdays = options.Find("weekdays") is { } weekdays ? Weekdays(options, weekdays) : TimeMatch.AllWeekdays,
            IsContiguous = options.Has("contiguous"),
            InKernelZone = options.Has("kerneltz") || options.Has("localtz"),
            ZoneSeconds = (int)options.Rule.Settings.KernelTimeZone.TotalSeconds,
        };
        if (match.IsContiguous && match.DayStart < match.DayStop)
        {
            options.Error(options.Find("contiguous")!.Option, "time: --contiguous is for a time of day that goes past midnight",
                "let --timestop be earlier than --timestart");
        }
        return match;
    }

    // YYYY[-MM[-DD[Thh[:mm[:ss]]]]]; a day that a month has not is one of the next month, as mktime has it.
    private static uint Date(ExtensionOptions options, Token word)
    {
        ReadOnlySpan<char> separators = ['-', '-', 'T', ':', ':'];
        ReadOnlySpan<uint> least = [1970, 1, 1, 0, 0, 0];
        ReadOnlySpan<uint> most = [2038, 12, 31, 23, 59, 59];
        Span<uint> parts = [1970, 1, 1, 0, 0, 0];
        var rest = word.Text.AsSpan();
        var valid = true;
        for (var i = 0; valid && i < parts.Length; i++)
        {
            var end = i < separators.Length ? rest.IndexOf(separators[i]) : -1;
            var part = end < 0 ? rest : rest[..end];
            valid = uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out parts[i]) && parts[i] >= least[i] && parts[i] <= most[i];
            if (end < 0) break;
            rest = rest[(end + 1)..];
        }
        if (valid)
        {
            var date = new DateTime((int)parts[0], (int)parts[1], 1, (int)parts[3], (int)parts[4], (int)parts[5], DateTimeKind.Utc)
                .AddDays(parts[2] - 1);
            return (uint)(date - DateTime.UnixEpoch).TotalSeconds;
        }
        options.Error(word, $"time: \"{word}\" is not a date from 1970 to 2038", "write it like 2030-01-31 or 2030-01-31T23:59:59");
        return 0;
    }

    private static uint TimeOfDay(ExtensionOptions options, Token word)
    {
        var parts = word.Text.Split(':');
        uint hour = 0, minute = 0, second = 0;
        if (parts.Length is 2 or 3
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out hour) && hour < 24
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out minute) && minute < 60
            && (parts.Length == 2 || uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out second) && second < 60))
            return hour * 3600 + minute * 60 + second;
        options.Error(word, $"time: \"{word}\" is not a time of day", "write it like 08:30 or 08:30:00, up to 23:59:59");
        return 0;
    }

    private static uint Monthdays(ExtensionOptions options, OptionUse use)
    {
        var days = 0u;
        foreach (var part in ExtensionOptions.List(use.Word)) days |= 1u << (int)options.Number(part, 1, 31);
        if (use.IsInverted) days ^= TimeMatch.AllMonthdays;
        CheckLeft(options, use, days);
        return days;
    }

    // iptables takes it, and then prints what it cannot read.
    private static void CheckLeft(ExtensionOptions options, OptionUse use, uint days)
    {
        if (days == 0) options.Error(use.Word, "time: no day is left, so that the rule never matches", "leave the rule out");
    }

    private static byte Weekdays(ExtensionOptions options, OptionUse use)
    {
        byte days = 0;
        foreach (var part in ExtensionOptions.List(use.Word)) days |= (byte)(1 << Weekday(options, part));
        if (use.IsInverted) days ^= TimeMatch.AllWeekdays;
        CheckLeft(options, use, days);
        return days;
    }

    // The first two letters tell, as in time_parse_weekdays.
    private static int Weekday(ExtensionOptions options, Token word)
    {
        if (ExtensionOptions.TryNumber(word.Text, out var number) && number is >= 1 and <= 7) return (int)number;
        var day = Array.FindIndex(WeekdayNames, n => word.Text.StartsWith(n[..2], StringComparison.Ordinal));
        if (day < 0)
            options.Error(word, $"time: \"{word}\" is not a day of the week", "write " + string.Join(", ", WeekdayNames) + " or 1 (Monday) to 7");
        return day + 1;
    }
}
