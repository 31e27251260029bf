using System.Globalization;

namespace Native.LibUsb.AotTests;

/// <summary>Represents one of several equal parts of the tests. Several machines can each run one part at the same time.</summary>
internal sealed class Share
{
    private readonly int _number, _count;
    private int _next;

    private Share(int number, int count)
    {
        _number = number;
        _count = count;
    }

    /// <summary>Removes <c>--share=NUMBER/COUNT</c> from the arguments and returns the share. Without this argument, the share contains all tests.</summary>
    /// <param name="arguments">The arguments of the program. On return, the variable contains the remaining arguments.</param>
    /// <exception cref="FormatException">The number is not in the range from 1 to the count.</exception>
    public static Share Take(ref string[] arguments)
    {
        const string option = "--share=";
        if (arguments is not [{ } first, ..] || !first.StartsWith(option, StringComparison.Ordinal))
            return new Share(1, 1);
        arguments = arguments[1..];
        int[] numbers = [.. first[option.Length..].Split('/').Select(number => int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture))];
        return numbers is [>= 1, _] && numbers[0] <= numbers[1] ? new Share(numbers[0], numbers[1]) : throw new FormatException($"{first} is no share.");
    }

    /// <summary>Determines whether the next test belongs to this share.</summary>
    public bool HasNext() => _next++ % _count == _number - 1;
}
