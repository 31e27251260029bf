using System.Diagnostics;
using System.Globalization;
using Xunit.Sdk;

namespace Native.LibUsb.AotTests;

/// <summary>Runs tests and reports the result of each test. The last line of the report contains the totals.</summary>
internal sealed class Report(TextWriter output)
{
    /// <summary>
    /// Specifies the prefix with which xunit marks the message of an exception that skips a test. This class repeats the value, because xunit's own constant is
    /// internal.
    /// </summary>
    private const string SkipToken = "$XunitDynamicSkip$";

    private int _passed, _failed, _skipped;

    public void Run(TestCase test)
    {
        if (test.Skip is { } reason)
        {
            Skipped(test, reason);
            return;
        }

        Watchdog.RunningTest = test.Name;
        long start = Stopwatch.GetTimestamp();
        try
        {
            test.Run();
            _passed++;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"passed  {test.Name} in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.000} s"));
        }
        catch (SkipException skip)
        {
            Skipped(test, skip.Message[SkipToken.Length..]);
        }
        catch (Exception exception)
        {
            _failed++;
            output.WriteLine($"FAILED  {test.Name}: {exception}");
        }

        output.Flush();
    }

    private void Skipped(TestCase test, string reason)
    {
        _skipped++;
        output.WriteLine($"skipped {test.Name}: {reason}");
    }

    /// <summary>Writes the line with the totals.</summary>
    /// <returns>The exit status: 0 if tests ran and none failed.</returns>
    public int Close()
    {
        output.WriteLine($"{_passed} passed, {_failed} failed, {_skipped} skipped");
        return _failed == 0 && _passed > 0 ? 0 : 1;
    }
}
