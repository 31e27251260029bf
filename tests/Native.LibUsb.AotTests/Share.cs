using System.Globalization;

namespace Native.LibUsb.AotTests;

/// <summary>Represents one of several equal shares of the tests, for machines that run them at the same time.</summary>
internal sealed class Share
{
    private readonly int _number, _count;
    private int _next;

    private Share(int number, int count)
    {
        _number = number;
        _count = count;
    }

    /// <summary>Takes <c>--share=NUMBER/COUNT</c> from the arguments; without it, the share has all tests.</summary>
    /// <param name="arguments">The arguments of the program; on return those that remain.</param>
    /// <exception cref="FormatException">The number is not from 1 to the count.</exception>
    public static Share Take(ref string[] arguments)
    {
        const string option = "--share=";
        if (arguments is not [{ } first, ..] || !first.StartsWith(option, StringComparison.Ordinal))
            return new Share(1, 1);
        arguments = arguments[1..];
        int[] numbers = [.. first[option.Length..].Split('/').Select(number => int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture))];
        return numbers is [>= 1, _] && numbers[0] <= numbers[1] ? new Share(numbers[0], numbers[1]) : throw new FormatException($"{first} is no share.");
    }

    /// <summary>Returns whether the next test is in this share.</summary>
    public bool HasNext() => _next++ % _count == _number - 1;
}
