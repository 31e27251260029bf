namespace Native.LibUsb;

/// <summary>Interfaces, alternate settings or endpoints that follow each other in a configuration. Allocates nothing.</summary>
/// <typeparam name="T">What it lists.</typeparam>
public readonly ref struct UsbDescriptorList<T>
    where T : IUsbDescriptorView<T>, allows ref struct
{
    private readonly UsbConfigurationDescriptor? _owner;
    private readonly object[]? _records;

    internal UsbDescriptorList(UsbConfigurationDescriptor owner, object[] records)
    {
        _owner = owner;
        _records = records;
    }

    /// <summary>How many.</summary>
    public int Count => _records?.Length ?? 0;

    /// <summary>One of them.</summary>
    /// <param name="index">Its place, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none at that place.</exception>
    public T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return T.View(_owner!, _records![index]);
        }
    }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Walks over the list.</summary>
    public ref struct Enumerator
    {
        private readonly UsbDescriptorList<T> _list;
        private int _index = -1;

        internal Enumerator(UsbDescriptorList<T> list) => _list = list;

        /// <summary>Where <see cref="MoveNext"/> reached.</summary>
        public readonly T Current => _list[_index];

        /// <summary>Goes to the next.</summary>
        /// <returns>Whether there is one.</returns>
        public bool MoveNext() => ++_index < _list.Count;
    }
}

/// <summary>Something that <see cref="UsbDescriptorList{T}"/> can list.</summary>
/// <typeparam name="T">The type itself.</typeparam>
public interface IUsbDescriptorView<T>
    where T : IUsbDescriptorView<T>, allows ref struct
{
    /// <summary>The view of one element.</summary>
    /// <param name="owner">The configuration it is part of.</param>
    /// <param name="record">What the configuration keeps of it.</param>
    static abstract T View(UsbConfigurationDescriptor owner, object record);
}
